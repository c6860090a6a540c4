import Bytes
import Storage

/// Reads members of a JSON object that came from a file; what is missing or out of bounds is an error with its place.
struct JSONFields {
  let value: JSONValue
  /// Of the file, for messages.
  let path: String
  /// Where the object stands in the file: empty, or `splits.train.` with its dot.
  let place: String

  init(_ value: JSONValue, path: String, place: String = "") {
    self.value = value
    self.path = path
    self.place = place
  }

  init(parsing bytes: [UInt8], path: String) throws(StorageError) {
    do throws(JSONScanner.Failure) { self.init(try JSONValue.parse(bytes), path: path) } catch {
      throw .input(path: path, reason: "not JSON: \(error)")
    }
    guard value.members != nil else { throw .input(path: path, reason: "not a JSON object") }
  }

  private func expected(_ what: String, _ key: String) -> StorageError {
    .input(path: path, reason: "\(place)\(key): expected \(what)")
  }

  func string(_ key: String) throws(StorageError) -> String {
    guard let text = value[key]?.string else { throw expected("a text", key) }
    return text
  }

  func int(_ key: String, in range: ClosedRange<Int>) throws(StorageError) -> Int {
    guard let number = value[key]?.int, range.contains(number) else {
      throw expected("a number from \(range.lowerBound) to \(range.upperBound)", key)
    }
    return number
  }

  /// nil for `null`.
  func optionalInt(_ key: String, in range: ClosedRange<Int>) throws(StorageError) -> Int? {
    value[key] == .null ? nil : try int(key, in: range)
  }

  func object(_ key: String) throws(StorageError) -> JSONFields {
    guard let object = value[key], object.members != nil else { throw expected("an object", key) }
    return JSONFields(object, path: path, place: place + key + ".")
  }

  func objects(_ key: String) throws(StorageError) -> [JSONFields] {
    var out: [JSONFields] = []
    for element in try array(key) {
      guard element.members != nil else { throw expected("objects", key) }
      out.append(JSONFields(element, path: path, place: "\(place)\(key)[\(out.count)]."))
    }
    return out
  }

  func strings(_ key: String) throws(StorageError) -> [String] {
    var out: [String] = []
    for element in try array(key) {
      guard let text = element.string else { throw expected("texts", key) }
      out.append(text)
    }
    return out
  }

  /// Counts: none is negative, and none so large that a sum of 2^16 of them overflows.
  func ints(_ key: String) throws(StorageError) -> [Int] {
    var out: [Int] = []
    for element in try array(key) {
      guard let number = element.int, number >= 0, number <= 1 << 46 else { throw expected("counts", key) }
      out.append(number)
    }
    return out
  }

  private func array(_ key: String) throws(StorageError) -> [JSONValue] {
    guard let elements = value[key]?.array else { throw expected("a list", key) }
    return elements
  }
}
