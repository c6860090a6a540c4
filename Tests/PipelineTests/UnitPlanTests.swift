import Storage
import Testing

@testable import Pipeline

@Suite struct UnitPlanTests {
  static func file(_ name: String, _ size: Int64?) -> InputFile {
    InputFile(path: name, name: name, size: size)
  }

  @Test func `large files are cut into ranges and small ones are one unit`() {
    let plan = UnitPlan([Self.file("a", 10), Self.file("b", 25), Self.file("c", 0)], unitBytes: 10) { _ in
      true
    }
    #expect(plan.units.map(\.index) == [0, 1, 2, 3, 4])
    #expect(plan.units.map(\.from) == [0, 0, 10, 20, 0])
    #expect(plan.units.map(\.to) == [nil, 10, 20, nil, nil])
    #expect(plan.units.map(\.input.name) == ["a", "b", "b", "b", "c"])
    #expect(plan.totalBytes == 35)
    #expect(!plan.isStream)
  }

  @Test func `a file that cannot be cut stays whole, and a multiple of the size leaves no empty unit`() {
    let plan = UnitPlan([Self.file("a", 30), Self.file("b", 30)], unitBytes: 10) { $0.name == "b" }
    #expect(plan.units.map(\.to) == [nil, 10, 20, nil])
  }

  @Test func `standard input is one unit of unknown size`() {
    let plan = UnitPlan([.standardInput]) { _ in true }
    #expect(plan.isStream)
    #expect(plan.totalBytes == nil)
    #expect(plan.units.count == 1)
  }

  @Test func `part names have five digits, more when the plan has more units`() {
    let small = UnitPlan([Self.file("a", 10)], unitBytes: 10) { _ in true }
    #expect(small.partName(7) == "part-00007.jsonl.zst")
    let large = UnitPlan([Self.file("a", 100_001)], unitBytes: 1) { _ in true }
    #expect(large.units.count == 100_001)
    #expect(large.partName(7) == "part-000007.jsonl.zst")
    let border = UnitPlan([Self.file("a", 100_000)], unitBytes: 1) { _ in true }
    #expect(border.partName(99_999, suffix: "x") == "part-99999.x")
  }
}

@Suite struct FormatTests {
  @Test(arguments: [
    (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000"),
    (-999, "-999"),
    (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func `counts have commas`(value: Int, text: String) { #expect(Format.count(value) == text) }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_250_000, "1.3 MB"), (5_000_000_000_000_000, "5000.0 TB"),
  ])
  func `bytes have decimal units`(value: Int, text: String) { #expect(Format.bytes(value) == text) }

  @Test(arguments: [
    (0.04, "0.0 s"), (9.94, "9.9 s"), (10.9, "10 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"),
    (7200, "2 h 0 min"), (9000, "2 h 30 min"),
  ])
  func `times have the unit that fits`(value: Double, text: String) { #expect(Format.seconds(value) == text) }

  @Test func `decimals are rounded half away from zero and never minus zero`() {
    #expect(Format.fixed(0.125, 2) == "0.13")
    #expect(Format.fixed(-0.125, 2) == "-0.13")
    #expect(Format.fixed(-0.001, 2) == "0.00")
    #expect(Format.fixed(12.05, 0) == "12")
    #expect(Format.fixed(.infinity, 1) == "inf")
    #expect(Format.percent(1, of: 3) == "33.3 %")
    #expect(Format.percent(1, of: 0) == "-")
  }

  @Test func `tables align the first column left and the others right`() {
    let text = Format.table([["filter", "10", "9"], ["é", "1,000"]], header: ["stage", "in", "out"])
    #expect(text == "stage      in  out\n------------------\nfilter     10    9\né       1,000\n")
  }
}
