import Bytes

/// `created` of a document as a number.
enum Timestamp {
  /// What stands for "not known": before everything else.
  static let unknown = Int64.min

  /// Seconds since 1970 (UTC) of an ISO 8601 date: `YYYY[-MM[-DD[(T| )hh:mm[:ss[.fraction]][Z|±hh[:mm]]]]]`. Parts that
  /// are missing count as their least value, a missing zone as UTC. Anything else is `unknown`.
  static func seconds(_ text: borrowing Span<UInt8>) -> Int64 {
    var place = 0
    guard let year = digits(text, &place, 4) else { return unknown }
    var month = 1
    var day = 1
    if take(text, &place, "-") {
      guard let value = digits(text, &place, 2), (1...12).contains(value) else { return unknown }
      month = value
      if take(text, &place, "-") {
        guard let value = digits(text, &place, 2), (1...31).contains(value) else { return unknown }
        day = value
      }
    }
    let midnight = Int64(days(year, month, day)) * 86_400
    if place == text.count { return midnight }
    guard take(text, &place, "T") || take(text, &place, " ") else { return unknown }
    guard let hour = digits(text, &place, 2), hour < 25, take(text, &place, ":") else { return unknown }
    guard let minute = digits(text, &place, 2), minute < 60 else { return unknown }
    var second = 0
    if take(text, &place, ":") {
      guard let value = digits(text, &place, 2), value < 61 else { return unknown }
      second = value
      if take(text, &place, ".") { while place < text.count, text[place].isASCIIDigit { place += 1 } }
    }
    guard let zone = zoneSeconds(text, &place), place == text.count else { return unknown }
    return midnight + Int64(hour * 3600 + minute * 60 + second) - Int64(zone)
  }

  private static func zoneSeconds(_ text: borrowing Span<UInt8>, _ place: inout Int) -> Int? {
    if place == text.count || take(text, &place, "Z") { return 0 }
    let isWest = take(text, &place, "-")
    guard isWest || take(text, &place, "+"), let hours = digits(text, &place, 2) else { return nil }
    _ = take(text, &place, ":")
    let minutes = digits(text, &place, 2) ?? 0
    return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
  }

  private static func take(_ text: borrowing Span<UInt8>, _ place: inout Int, _ byte: Unicode.Scalar) -> Bool
  {
    guard place < text.count, text[place] == UInt8(ascii: byte) else { return false }
    place += 1
    return true
  }

  private static func digits(_ text: borrowing Span<UInt8>, _ place: inout Int, _ count: Int) -> Int? {
    guard text.count - place >= count else { return nil }
    var value = 0
    for offset in 0..<count {
      guard let digit = text[place + offset].decimalDigit else { return nil }
      value = value * 10 + digit
    }
    place += count
    return value
  }

  /// Days from 1970-01-01 of a date of the Gregorian calendar.
  ///
  /// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
