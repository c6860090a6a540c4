import Bytes
import TestSupport
import Testing
import Text

@Suite struct NormalizationTests {
  private func nfc(_ scalars: [UInt32]) -> [UInt32] {
    var text: [UInt8] = []
    for scalar in scalars { text.append(scalar: scalar) }
    var fast: [UInt8] = []
    let hasChanged = Normalization.nfc(text.span, into: &fast)
    var plain: [UInt8] = []
    Normalization.nfcReference(text.span, into: &plain)
    #expect(fast == plain, "\(scalars.map { String($0, radix: 16) })")
    #expect(hasChanged == (fast != text))
    return fast.string.unicodeScalars.map(\.value)
  }

  private func hex(_ text: String) -> [UInt32] {
    text.split(separator: " ").compactMap { UInt32($0, radix: 16) }
  }

  @Test func `all canonical decompositions and compositions of Unicode 16 hold`() throws {
    guard let path = SharedData.path("vocab/unicode16_normalization.json") else { return }
    let tables = try JSONValue.parse(try readFile(path))
    let pairs = tables["primary_composition"]?.members ?? []
    #expect(pairs.count > 900)
    var composed = Set<UInt32>()
    for pair in pairs {
      let wanted = hex(pair.value.string ?? "")
      #expect(nfc(hex(pair.key)) == wanted)
      composed.formUnion(wanted)
    }
    let decompositions = tables["canonical_decomposition"]?.members ?? []
    #expect(decompositions.count > 2000)
    for member in decompositions {
      let scalar = hex(member.key)[0]
      let whole = nfc([scalar])
      #expect(nfc(hex(member.value.string ?? "")) == whole)
      if composed.contains(scalar) { #expect(whole == [scalar]) }
      #expect(nfc(whole) == whole)
    }
  }

  /// Vectors from the standard's own examples (UAX 15, figures 3 to 6, and section 3.12 for Hangul).
  @Test(
    arguments: [
      ([0x0041, 0x030A], [0x00C5]), ([0x212B], [0x00C5]), ([0x1E9B, 0x0323], [0x1E9B, 0x0323]),
      ([0x0064, 0x0323, 0x0307], [0x1E0D, 0x0307]), ([0x0064, 0x0307, 0x0323], [0x1E0D, 0x0307]),
      ([0x1E0B, 0x0323], [0x1E0D, 0x0307]), ([0xFB01], [0xFB01]), ([0x0032, 0x2075], [0x0032, 0x2075]),
      ([0x1111, 0x1171, 0x11B6], [0xD4DB]), ([0xD4CC, 0x11B6], [0xD4DB]),
      ([0xAC00, 0x0300, 0x11A8], [0xAC00, 0x0300, 0x11A8]),
      ([0x0958], [0x0915, 0x093C]), ([0x0344], [0x0308, 0x0301]),
      ([0x0061, 0x0315, 0x0300, 0x05AE, 0x0062], [0x00E0, 0x05AE, 0x0315, 0x0062]),
      ([0x0061, 0x0300, 0x0315, 0x0300], [0x00E0, 0x0300, 0x0315]),
      ([0x0B47, 0x0300, 0x0B3E], [0x0B47, 0x0300, 0x0B3E]),
      ([0x11131, 0x11127], [0x1112E]), ([0x0301, 0x0041, 0x0301], [0x0301, 0x00C1]),
    ] as [([UInt32], [UInt32])])
  func `the standard's examples come out as printed`(scalars: [UInt32], wanted: [UInt32]) {
    #expect(nfc(scalars) == wanted)
  }

  @Test func `random scalars give the same by the fast and the plain way`() {
    var random = SeededRandom(seed: 3)
    let pool: [UInt32] = [
      0x41, 0x20, 0x61, 0xE9, 0x300, 0x301, 0x323, 0x307, 0x327, 0x345, 0x1100, 0x1161, 0x11A8, 0xAC00,
      0xAC01, 0x915,
      0x93C, 0x958, 0x4E00, 0xF900, 0x212B, 0x1F82, 0x3099, 0x304B, 0x1D165, 0x1D15F, 0x34F, 0xFFFD, 0x11131,
      0x11127,
    ]
    for _ in 0..<5000 {
      let count = Int.random(in: 0..<12, using: &random)
      _ = nfc((0..<count).map { _ in pool.randomElement(using: &random)! })
    }
  }

  @Test func `a long run of marks takes linear time`() {
    var text: [UInt8] = [0x61]
    for index in 0..<200_000 { text.append(scalar: index % 2 == 0 ? 0x301 : 0x323) }
    var output: [UInt8] = []
    Normalization.nfc(text.span, into: &output)
    #expect(output.string.unicodeScalars.first?.value == 0x1EA1)
  }

  @Test func `random bytes become well-formed`() {
    var random = SeededRandom(seed: 5)
    for round in 0..<2000 {
      let bytes = round % 2 == 0 ? random.bytes(50) : random.mutation(of: Array("e\u{301} 한 が é\u{323}".utf8))
      var fast: [UInt8] = []
      Normalization.nfc(bytes.span, into: &fast)
      var plain: [UInt8] = []
      Normalization.nfcReference(bytes.span, into: &plain)
      #expect(fast == plain)
      let isValid = UTF8Text.isValid(fast.span)
      #expect(isValid)
    }
  }
}
