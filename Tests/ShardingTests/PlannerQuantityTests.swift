import Storage
import TestSupport
import Testing

@testable import Sharding

/// Numbers with units, read and shown.
@Suite struct PlannerQuantityTests {
  @Test(arguments: [
    ("7B", 7e9), ("1.3B", 1.3e9), ("300e9", 3e11), ("15T", 15e12), ("124M", 124e6), ("4k", 4000),
    ("512", 512),
    ("2G", 2e9), (".5M", 5e5),
  ])
  func `a count is read with its suffix`(text: String, value: Double) throws {
    #expect(abs(try Quantity.count("--x", text) - value) <= 1e-9 * value)
  }

  @Test(arguments: [
    "", "B", "-7B", "+7", "7 B", "7BB", "inf", "nan", "0x10", "1,000", "1e999", "e9", "7b", "0",
  ])
  func `what is no count is refused with the option's name`(text: String) {
    do {
      let value = try Quantity.count("--tokens", text)
      Issue.record("\(text) was read as \(value)")
    } catch { #expect(error.message.hasPrefix("--tokens") && error.exitCode == 2) }
  }

  @Test func `rates are bytes or bits, shares are parts or per cent, prices are one or two`() throws {
    #expect(try Quantity.rate("--network", "50GB/s") == 5e10)
    #expect(try Quantity.rate("--network", "400Gbit/s") == 5e10)
    #expect(try Quantity.rate("--network", "400Gb/s") == 5e10)
    #expect(try Quantity.rate("--network", "400Gbps") == 5e10)
    #expect(throws: StorageError.self) { try Quantity.rate("--network", "50") }
    #expect(throws: StorageError.self) { try Quantity.rate("--network", "0GB/s") }
    #expect(try Quantity.share("--mfu", "0.42") == 0.42)
    #expect(abs(try Quantity.share("--mfu", "42%") - 0.42) < 1e-12)
    #expect(throws: StorageError.self) { try Quantity.share("--mfu", "42") }
    #expect(try Quantity.range("--price", "2.5") == 2.5...2.5)
    #expect(try Quantity.range("--price", "2-4") == 2...4)
    for wrong in ["4-2", "0", "2-", "-2", "1-2-3", "free", ""] {
      #expect(throws: StorageError.self) { try Quantity.range("--price", wrong) }
    }
  }

  @Test func `numbers are shown with three digits, groups and no zeros at the end`() {
    let shown: [(Double, String)] = [
      (0, "0"), (1, "1"), (27.5, "27.5"), (3637.5, "3,638"), (1_234_567, "1,234,567"), (0.0123456, "0.0123"),
      (9.996, "10"), (0.5, "0.5"), (-2.25, "-2.25"), (1e20, "1e20"), (.infinity, "unlimited"),
      (0.001, "0.001"),
    ]
    for (value, text) in shown { #expect(Quantity.number(value) == text) }
    #expect(Quantity.scientific(3.15e23) == "3.15e23" && Quantity.scientific(9.9999e9) == "1e10")
    #expect(
      Quantity.short(7e9) == "7 B" && Quantity.short(999_999_999) == "1 B" && Quantity.short(512) == "512")
    #expect(Quantity.bytes(6e11) == "600 GB" && Quantity.bytes(512) == "512 B")
    #expect(Quantity.percent(0.4277) == "42.8 %")
    #expect(Quantity.dollars(1_234_567) == "$1.23 million" && Quantity.dollars(999) == "$999")
    #expect(Quantity.duration(0.5) == "0.5 s" && Quantity.duration(600) == "10 min")
    #expect(Quantity.duration(33.9 * 86_400) == "33.9 days")
    #expect(Quantity.duration(288 * PlannerFormulas.secondsPerYear) == "288 years")
    #expect(
      Quantity.energy(megawattHours: 178) == "178 MWh" && Quantity.energy(megawattHours: 0.5) == "500 kWh")
  }

  @Test func `random text never traps`() {
    var random = SeededRandom(seed: 7)
    let alphabet = Array("0123456789.eE+-kKMBGT%/sbit ,x∞".unicodeScalars)
    for _ in 0..<20_000 {
      var text = ""
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        text.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
      }
      if let value = try? Quantity.count("--x", text) { #expect(value >= 1 && value <= 1e18) }
      if let value = try? Quantity.share("--x", text) { #expect((0...1).contains(value)) }
      if let value = try? Quantity.rate("--x", text) { #expect(value.isFinite && value > 0) }
      if let value = try? Quantity.range("--x", text) { #expect(value.lowerBound > 0) }
      _ = Quantity.number(Double.random(in: -1e30...1e30, using: &random))
      _ = Quantity.number(Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random)))
    }
  }
}
