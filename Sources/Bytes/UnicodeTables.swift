import CKernels

/// General category of Unicode 16.0, frozen. The order is Unicode's own.
public enum GeneralCategory: UInt8, Sendable {
  case Lu, Ll, Lt, Lm, Lo, Mn, Mc, Me, Nd, Nl, No, Pc, Pd, Ps, Pe, Pi, Pf, Po, Sm, Sc, Sk, So, Zs, Zl, Zp, Cc,
    Cf, Cs, Co, Cn

  public var isLetter: Bool { rawValue <= GeneralCategory.Lo.rawValue }
  public var isMark: Bool {
    rawValue >= GeneralCategory.Mn.rawValue && rawValue <= GeneralCategory.Me.rawValue
  }
  public var isNumber: Bool {
    rawValue >= GeneralCategory.Nd.rawValue && rawValue <= GeneralCategory.No.rawValue
  }
  public var isPunctuation: Bool {
    rawValue >= GeneralCategory.Pc.rawValue && rawValue <= GeneralCategory.Po.rawValue
  }
  public var isSymbol: Bool {
    rawValue >= GeneralCategory.Sm.rawValue && rawValue <= GeneralCategory.So.rawValue
  }
}

/// The frozen Unicode 16.0 tables (`Tools/unicode/generate.py`). Never ask the standard library: it follows newer versions.
public enum UnicodeTables {
  public static let version = "16.0"

  /// General category of a code point below 0x110000; `Cn` above.
  @inline(__always) public static func category(_ scalar: UInt32) -> GeneralCategory {
    GeneralCategory(rawValue: sluice_category(scalar)) ?? .Cn
  }

  /// Canonical combining class, 0 for starters.
  public static func combiningClass(_ scalar: UInt32) -> UInt8 { sluice_combining_class(scalar) }

  /// Appends the full canonical decomposition of a scalar that has one (Hangul syllables not included); false if none.
  public static func appendDecomposition(of scalar: UInt32, to output: inout [UInt32]) -> Bool {
    var length: UInt32 = 0
    guard let values = sluice_decompose(scalar, &length) else { return false }
    output.append(contentsOf: UnsafeBufferPointer(start: values, count: Int(length)))
    return true
  }

  /// Primary composite of two scalars (Hangul not included), or nil.
  public static func composition(of first: UInt32, and second: UInt32) -> UInt32? {
    let result = sluice_compose(first, second)
    return result == 0 ? nil : result
  }

  /// Appends the full lower-case mapping (no context rules) of a scalar that changes; false if it maps to itself.
  public static func appendLowercase(of scalar: UInt32, to output: inout [UInt32]) -> Bool {
    var length: UInt32 = 0
    guard let values = sluice_lower(scalar, &length) else { return false }
    output.append(contentsOf: UnsafeBufferPointer(start: values, count: Int(length)))
    return true
  }

  /// White_Space (25 code points), which is also `\s` of the tokenizer patterns.
  public static func isWhiteSpace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }
}
