import Bytes

/// The member `"tokens":[…]` of a document's JSON line: how `encode` hands on ids and `decode` gets them.
enum TokenMember {
  private static let key = Array("tokens".utf8)

  /// Appends the raw member.
  static func append(_ ids: borrowing Span<UInt32>, to output: inout [UInt8]) {
    output.append("\"tokens\":[")
    for index in ids.indices {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.append(decimal: UInt(ids[index]))
    }
    output.append(UInt8(ascii: "]"))
  }

  /// Takes the member out of a document's raw members: the value (nil if there is none), and the other members.
  static func split(_ extras: borrowing Span<UInt8>) -> (value: [UInt8]?, rest: [UInt8]) {
    var object: [UInt8] = [UInt8(ascii: "{")]
    object.append(extras)
    object.append(UInt8(ascii: "}"))
    var members: [(key: Range<Int>, value: Range<Int>)] = []
    _ = try? JSONScanner.members(of: object.span) { (key, value) throws(JSONScanner.Failure) in
      members.append((key, value))
    }
    var value: [UInt8]?
    var rest: [UInt8] = []
    for member in members {
      if object[member.key].elementsEqual(key) {
        value = Array(object[member.value])
        continue
      }
      if !rest.isEmpty { rest.append(UInt8(ascii: ",")) }
      rest.append(contentsOf: object[member.key.lowerBound - 1..<member.value.upperBound])
    }
    return (value, rest)
  }

  /// The ids of the raw array, or nil if it is not an array of numbers of 32 bits.
  static func ids(_ value: borrowing Span<UInt8>, into ids: inout [UInt32]) -> Bool {
    ids.removeAll(keepingCapacity: true)
    var ranges: [Range<Int>] = []
    do throws(JSONScanner.Failure) {
      _ = try JSONScanner.elements(of: value) { (element) throws(JSONScanner.Failure) in
        ranges.append(element)
      }
    } catch {
      return false
    }
    for range in ranges {
      var id: UInt64 = 0
      for index in range {
        guard let digit = value[index].decimalDigit else { return false }
        id = id * 10 + UInt64(digit)
        guard id <= UInt64(UInt32.max) else { return false }
      }
      ids.append(UInt32(id))
    }
    return true
  }
}
