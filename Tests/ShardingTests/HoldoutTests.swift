import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct HoldoutTests {
  @Test func hashesAreThoseOfTheReference() {
    let holdout = Holdout(seed: 0)
    #expect(Hex.string(holdout.hash(ofID: Array("doc0".utf8).span)) == "7fa2f2730ae047be")
    #expect(Hex.string(holdout.hash(ofID: Array("doc1".utf8).span)) == "9c3414d6aeb17aef")
  }

  @Test func readsPercentagesExactly() throws {
    let holdout = try Holdout(seed: 7, parsing: "valid=0.5%,test=12%,tiny=0.0001%")
    #expect(holdout.splits.map(\.ppm) == [5000, 120_000, 1])
    #expect(holdout.names == ["train", "valid", "test", "tiny"])
    #expect(try Holdout(seed: 7, parsing: "").splits.isEmpty)
  }

  @Test(arguments: [
    "valid", "valid=", "valid=1", "valid=0%", "valid=100%", "train=1%", "a=1%,a=1%", "a=60%,b=40%", "a/b=1%",
    "..=1%",
    "=1%", "a=1.00001%", "a=-1%", "a=1.%", "a=99999999999%",
  ]) func refusesWhatIsNoShare(text: String) {
    #expect(throws: StorageError.self) { try Holdout(seed: 0, parsing: text) }
  }

  @Test func theShareIsUnbiasedAndStable() throws {
    let one = try Holdout(seed: 9, parsing: "valid=5%")
    let two = try Holdout(seed: 9, parsing: "valid=5%,test=5%")
    let count = 40_000
    var valid = 0
    var test = 0
    for number in 0..<count {
      let id = Array("corpus/part-\(number)".utf8)
      let first = one.split(ofID: id.span)
      let second = two.split(ofID: id.span)
      // A split keeps its documents when another is added behind it.
      #expect((first == 1) == (second == 1))
      valid += first == 1 ? 1 : 0
      test += second == 2 ? 1 : 0
    }
    // 5 % of 40,000 with sigma = sqrt(n p q) = 43.6.
    #expect(abs(valid - 2000) < 131)
    #expect(abs(test - 2000) < 131)
  }

  @Test func anotherSeedHoldsOutOthers() throws {
    let one = try Holdout(seed: 1, parsing: "valid=50%")
    let two = try Holdout(seed: 2, parsing: "valid=50%")
    let ids = (0..<200).map { Array("d\($0)".utf8) }
    #expect(ids.contains { one.split(ofID: $0.span) != two.split(ofID: $0.span) })
  }
}
