import Glibc
import Storage

/// Numbers with units as users write and read them: `7B`, `300e9`, `50GB/s`, `400Gbit/s`, `42%`, `2-4`. Decimal prefixes only,
/// and no locale.
public enum Quantity {
  // MARK: Reading

  /// A count with an optional suffix K, M, B or G, T, Q (10³ … 10¹⁵).
  ///
  /// - Throws: `.usage` that names the option and a good value.
  public static func count(
    _ option: String, _ text: String, in range: ClosedRange<Double> = 1...1e18
  ) throws(StorageError) -> Double {
    guard let value = scaled(text) else {
      throw .usage("\(option): “\(text)” is no number. Write 7B, 1.3B, 300e9 or 70000000.")
    }
    guard range.contains(value) else {
      throw .usage(
        "\(option): \(text) is out of range; it lies between \(short(range.lowerBound)) and \(short(range.upperBound))."
      )
    }
    return value
  }

  /// Bytes per second: `50GB/s`, or bits as `400Gbit/s` or `400Gb/s`.
  ///
  /// - Throws: `.usage`.
  public static func rate(_ option: String, _ text: String) throws(StorageError) -> Double {
    let units: [(suffix: String, factor: Double)] = [
      ("bit/s", 1.0 / 8), ("bps", 1.0 / 8), ("b/s", 1.0 / 8), ("B/s", 1),
    ]
    for unit in units where text.hasSuffix(unit.suffix) {
      guard let value = scaled(String(text.dropLast(unit.suffix.utf8.count))) else { break }
      let bytes = value * unit.factor
      guard (1e3...1e15).contains(bytes) else {
        throw .usage("\(option): \(text) is out of range; it lies between 1kB/s and 1000TB/s.")
      }
      return bytes
    }
    throw .usage(
      "\(option): “\(text)” is no rate. Write bytes as 50GB/s or bits as 400Gbit/s, per GPU and direction.")
  }

  /// A share between 0 and 1: `0.42` or `42%`.
  ///
  /// - Throws: `.usage`.
  public static func share(
    _ option: String, _ text: String, in range: ClosedRange<Double> = 0...1
  ) throws(StorageError) -> Double {
    let isPercent = text.hasSuffix("%")
    guard let number = scaled(isPercent ? String(text.dropLast()) : text) else {
      throw .usage("\(option): “\(text)” is no share. Write 0.42 or 42%.")
    }
    let value = isPercent ? number / 100 : number
    guard range.contains(value) else {
      throw .usage(
        "\(option): \(text) is out of range; it lies between \(range.lowerBound) and \(range.upperBound).")
    }
    return value
  }

  /// One amount of money, or two with `-` between them.
  ///
  /// - Throws: `.usage`.
  public static func range(_ option: String, _ text: String) throws(StorageError) -> ClosedRange<Double> {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { scaled(String($0)) }
    guard let first = parts.first, let low = first, let last = parts.last, let high = last, parts.count <= 2,
      low > 0, low <= high, high <= 1e6
    else { throw .usage("\(option): “\(text)” is no price in US dollars. Write 2.5 or 2-4.") }
    return low...high
  }

  /// Digits, at most one point, an exponent, a suffix: nothing else that `Double` would take (signs, hexadecimal, inf).
  private static func scaled(_ text: String) -> Double? {
    let factors: [UInt8: Double] = [
      UInt8(ascii: "k"): 1e3, UInt8(ascii: "K"): 1e3, UInt8(ascii: "M"): 1e6, UInt8(ascii: "G"): 1e9,
      UInt8(ascii: "B"): 1e9, UInt8(ascii: "T"): 1e12, UInt8(ascii: "Q"): 1e15,
    ]
    var digits = Array(text.utf8)
    var factor = 1.0
    if let last = digits.last, let found = factors[last] {
      factor = found
      digits.removeLast()
    }
    guard let first = digits.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) || first == 46,
      digits.allSatisfy({ (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }),
      let value = Double(String(decoding: digits, as: UTF8.self)), value.isFinite
    else { return nil }
    return value * factor
  }

  // MARK: Showing

  /// `digits` significant digits, thousands grouped, no zeros at the end: `3,638`, `0.0123`, `27.5`.
  public static func number(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return "unlimited" }
    guard value != 0 else { return "0" }
    let exponent = Int(log10(abs(value)).rounded(.down))
    guard (-6..<15).contains(exponent) else { return scientific(value) }
    var decimals = max(0, digits - 1 - exponent)
    var scaled = Int64((abs(value) * pow(10, Double(decimals))).rounded())
    while decimals > 0, scaled % 10 == 0 {
      scaled /= 10
      decimals -= 1
    }
    var text = "\(scaled)"
    if decimals > 0 {
      text = String(repeating: "0", count: max(0, decimals + 1 - text.utf8.count)) + text
      let cut = text.index(text.endIndex, offsetBy: -decimals)
      return (value < 0 ? "-" : "") + grouped(text[..<cut]) + "." + text[cut...]
    }
    return (value < 0 ? "-" : "") + grouped(text[...])
  }

  private static func grouped(_ digits: Substring) -> String {
    var out = ""
    for (position, digit) in digits.enumerated() {
      if position > 0, (digits.count - position) % 3 == 0 { out += "," }
      out.append(digit)
    }
    return out
  }

  /// `3.15e23`.
  public static func scientific(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return "\(value)" }
    var exponent = Int(log10(abs(value)).rounded(.down))
    var hundredths = (value / pow(10, Double(exponent)) * 100).rounded()
    if abs(hundredths) >= 1000 {
      hundredths /= 10
      exponent += 1
    }
    return number(hundredths / 100) + "e\(exponent)"
  }

  /// Counts with the words that people use for parameters and tokens: `175 B`, `1.3 B`, `15 T`, `512`.
  public static func short(_ value: Double) -> String {
    for (limit, suffix) in [(1e15, "Q"), (1e12, "T"), (1e9, "B"), (1e6, "M")]
    where abs(value) >= limit * 0.9995 {
      return number(value / limit) + " " + suffix
    }
    return number(value)
  }

  /// Decimal units: `600 GB`.
  public static func bytes(_ value: Double) -> String {
    for (limit, unit) in [(1e18, "EB"), (1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
    where abs(value) >= limit * 0.9995 {
      return number(value / limit) + " " + unit
    }
    return number(value) + " B"
  }

  /// `42.8 %`.
  public static func percent(_ share: Double) -> String { number(share * 100) + " %" }

  public static func dollars(_ value: Double) -> String {
    for (limit, unit) in [(1e9, " billion"), (1e6, " million")] where value >= limit * 0.9995 {
      return "$" + number(value / limit) + unit
    }
    return "$" + number(value)
  }

  /// `0.34 s`, `12 min`, `33 h`, `33.9 days`, `288 years`.
  public static func duration(_ seconds: Double) -> String {
    if seconds < 120 { return number(seconds) + " s" }
    if seconds < 2 * 3600 { return number(seconds / 60) + " min" }
    if seconds < 2 * PlannerFormulas.secondsPerDay { return number(seconds / 3600) + " h" }
    if seconds < 2 * PlannerFormulas.secondsPerYear {
      return number(seconds / PlannerFormulas.secondsPerDay) + " days"
    }
    return number(seconds / PlannerFormulas.secondsPerYear) + " years"
  }

  public static func energy(megawattHours: Double) -> String {
    megawattHours >= 0.9995 ? number(megawattHours) + " MWh" : number(megawattHours * 1000) + " kWh"
  }
}
