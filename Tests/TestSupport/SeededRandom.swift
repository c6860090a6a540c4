/// Random numbers that are the same in every run: SplitMix64.
///
/// - Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 15.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// `FUZZ_SEED` moves every seed of a test run, so that make fuzz tries new input each round.
  public init(seed: UInt64) { state = seed &+ SeededRandom.shift }

  private static let shift = environment("FUZZ_SEED").flatMap { UInt64($0) } ?? 0

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// `count` random bytes.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  /// A copy of `bytes` with a few bytes changed, removed, doubled or cut off: for tests that feed parsers with damage.
  public mutating func mutation(of bytes: [UInt8]) -> [UInt8] {
    var mutated = bytes
    for _ in 0...Int.random(in: 0...7, using: &self) where !mutated.isEmpty {
      let place = Int.random(in: 0..<mutated.count, using: &self)
      switch Int.random(in: 0..<5, using: &self) {
      case 0: mutated[place] = UInt8(truncatingIfNeeded: next())
      case 1: mutated[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
      case 2: mutated.remove(at: place)
      case 3: mutated.insert(mutated[place], at: place)
      default:
        let end = min(mutated.count, place + Int.random(in: 1...64, using: &self))
        mutated.removeSubrange(place..<end)
      }
    }
    return mutated
  }
}
