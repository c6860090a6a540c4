import Bytes
import TestSupport
import Testing

@testable import Sharding

/// Every case of the shared planner golden, through the public formulas, within its own tolerance.
@Suite struct PlannerGoldenTests {
  @Test func `every case of the golden file is reproduced`() throws {
    guard let path = SharedData.path("golden/planner.json") else { return }
    let golden = try JSONValue.parse(try readFile(path))
    let cases = try #require(golden["cases"]?.array)
    #expect(cases.count >= 85)
    for entry in cases {
      let id = try #require(entry["id"]?.string)
      let formula = try #require(entry["formula"]?.string)
      let tolerance = try #require(entry["rel_tol"]?.double)
      var inputs: [String: Double] = [:]
      for input in try #require(entry["inputs"]?.members) {
        let value: Double = try #require(input.value.double, "\(id): \(input.key)")
        inputs[input.key] = value
      }
      // An unknown formula throws, and so fails here.
      let found = try PlannerFormulas.evaluate(formula, inputs)
      let wanted = try #require(entry["outputs"]?.members)
      #expect(Set(found.map(\.name)) == Set(wanted.map(\.key)), "\(id): other outputs")
      for output in wanted {
        let value = try #require(output.value.double)
        let ours = try #require(found.first { $0.name == output.key }?.value, "\(id): no \(output.key)")
        #expect(
          abs(ours - value) <= tolerance * abs(value),
          "\(id): \(output.key) is \(ours), the golden says \(value)")
      }
    }
  }

  @Test func `the golden file uses every formula, and no formula stands without a case`() throws {
    guard let path = SharedData.path("golden/planner.json") else { return }
    let cases = try #require(try JSONValue.parse(try readFile(path))["cases"]?.array)
    #expect(Set(cases.compactMap { $0["formula"]?.string }) == Set(PlannerFormulas.names))
  }
}
