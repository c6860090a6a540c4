import Bytes

extension HTMLTokenizer {
  /// Scans a tag whose name begins at `nameStart`; false if the input ends inside it (then nothing is emitted).
  mutating func scanTag(at nameStart: Int) -> Bool {
    let bytes = self.bytes
    attributes.removeAll()
    isSelfClosing = false
    start = nameStart
    var index = nameStart
    var hash = HTMLNameTable.seed
    while index < count {
      let byte = bytes[index]
      if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") || byte.isASCIISpace { break }
      hash = HTMLNameTable.step(hash, byte.asciiLowercased)
      index += 1
    }
    end = index
    nameHash = hash
    tag = HTMLTag(rawValue: tagNames.find(hash)) ?? .unknown
    if index < count, bytes[index] == UInt8(ascii: ">") {
      position = index + 1
      return true
    }
    while index < count {
      let byte = bytes[index]
      if byte.isASCIISpace {
        index += 1
      } else if byte == UInt8(ascii: ">") {
        position = index + 1
        return true
      } else if byte == UInt8(ascii: "/") {
        index += 1
        if index < count, bytes[index] == UInt8(ascii: ">") {
          isSelfClosing = true
          position = index + 1
          return true
        }
      } else {
        index = scanAttribute(at: index)
      }
    }
    return giveUpTag(nameEnd: end)
  }

  /// Scans one attribute, stores it, and returns the index after it (`count` if the input ends in it).
  @inline(__always) mutating func scanAttribute(at nameStart: Int) -> Int {
    let bytes = self.bytes
    let equals = UInt8(ascii: "=")
    var index = nameStart
    var hash = HTMLNameTable.step(HTMLNameTable.seed, bytes[index].asciiLowercased)
    index += 1
    while index < count {
      let byte = bytes[index]
      if byte == equals || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") || byte.isASCIISpace {
        break
      }
      hash = HTMLNameTable.step(hash, byte.asciiLowercased)
      index += 1
    }
    let nameEnd = index
    while index < count, bytes[index].isASCIISpace { index += 1 }
    var valueStart = index
    var valueEnd = index
    if index < count, bytes[index] == equals {
      index += 1
      while index < count, bytes[index].isASCIISpace { index += 1 }
      let quote = bytes[index]
      if index >= count { return count }
      if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
        valueStart = index + 1
        valueEnd = find(quote, from: valueStart)
        if valueEnd >= count { return count }
        index = valueEnd + 1
      } else {
        valueStart = index
        while index < count, bytes[index] != UInt8(ascii: ">"), !bytes[index].isASCIISpace { index += 1 }
        valueEnd = index
      }
    }
    if attributes.count < attributeLimit {
      attributes.append(
        Attribute(
          id: attributeNames.find(hash), nameStart: UInt32(truncatingIfNeeded: nameStart),
          nameEnd: UInt32(truncatingIfNeeded: nameEnd), valueStart: UInt32(truncatingIfNeeded: valueStart),
          valueEnd: UInt32(truncatingIfNeeded: valueEnd)))
    }
    return index
  }

  /// The input ended inside a tag. By the standard the rest is lost; when recovering, the tag ends at the first `>`
  /// behind its name, with no attributes. At most eight times a page, so that time stays linear.
  mutating func giveUpTag(nameEnd: Int) -> Bool {
    if recovers, tagRecoveries < 8 {
      let close = find(UInt8(ascii: ">"), from: nameEnd)
      if close < count {
        tagRecoveries += 1
        hasRecovered = true
        attributes.removeAll()
        position = close + 1
        return true
      }
    }
    position = count
    return false
  }
}
