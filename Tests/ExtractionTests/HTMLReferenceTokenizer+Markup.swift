import Bytes
import CEmbedded

@testable import Extraction

extension HTMLReferenceTokenizer {
  mutating func attribute(_ byte: UInt8?) -> Bool {
    switch state {
    case .beforeAttributeName:
      if let byte, byte.isASCIISpace { return true }
      if byte == Self.c("/") || byte == Self.c(">") || byte == nil {
        reconsume(in: .afterAttributeName)
      } else {
        attributes.append(([], []))
        if byte == Self.c("=") { attributes[attributes.count - 1].name = [Self.c("=")] } else { index -= 1 }
        state = .attributeName
      }
    case .attributeName:
      if byte == nil || byte == Self.c("/") || byte == Self.c(">") || byte?.isASCIISpace == true {
        reconsume(in: .afterAttributeName)
      } else if byte == Self.c("=") {
        state = .beforeAttributeValue
      } else if let byte {
        attributes[attributes.count - 1].name += byte == 0 ? Self.replacement : [byte.asciiLowercased]
      }
    case .afterAttributeName:
      guard let byte else { return false }
      if byte.isASCIISpace { return true }
      if byte == Self.c("/") {
        state = .selfClosing
      } else if byte == Self.c("="), !attributes.isEmpty {
        state = .beforeAttributeValue
      } else if byte == Self.c(">") {
        emitTag()
      } else {
        attributes.append(([], []))
        reconsume(in: .attributeName)
      }
    case .beforeAttributeValue:
      if let byte, byte.isASCIISpace { return true }
      if byte == Self.c("\"") {
        state = .doubleQuoted
      } else if byte == Self.c("'") {
        state = .singleQuoted
      } else if byte == Self.c(">") {
        emitTag()
      } else {
        reconsume(in: .unquoted)
      }
    case .doubleQuoted, .singleQuoted, .unquoted: return attributeValue(byte)
    case .afterQuoted:
      guard let byte else { return false }
      if byte.isASCIISpace {
        state = .beforeAttributeName
      } else if byte == Self.c("/") {
        state = .selfClosing
      } else if byte == Self.c(">") {
        emitTag()
      } else {
        reconsume(in: .beforeAttributeName)
      }
    default:
      guard let byte else { return false }
      if byte == Self.c(">") {
        isSelfClosing = true
        emitTag()
      } else {
        reconsume(in: .beforeAttributeName)
      }
    }
    return true
  }

  mutating func attributeValue(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    let last = attributes.count - 1
    if state == .unquoted, byte.isASCIISpace {
      state = .beforeAttributeName
    } else if state == .unquoted, byte == Self.c(">") {
      emitTag()
    } else if byte == (state == .doubleQuoted ? Self.c("\"") : Self.c("'")), state != .unquoted {
      state = .afterQuoted
    } else if byte == Self.c("&") {
      attributes[last].value += reference(isAttribute: true)
    } else {
      attributes[last].value += byte == 0 ? Self.replacement : [byte]
    }
    return true
  }

  mutating func comment(_ byte: UInt8?) -> Bool {
    let dash = Self.c("-")
    switch state {
    case .markupDeclaration:
      index -= 1
      buffer = []
      if follows("--", ignoringCase: false) {
        index += 2
        state = .commentStart
      } else if allowsCDATA, follows("[CDATA[", ignoringCase: false) {
        index += 7
        state = .cdata
      } else {
        state = .bogusComment
      }
    case .bogusComment:
      if byte == nil || byte == Self.c(">") {
        emitComment()
        state = .data
        return byte != nil
      }
      buffer += byte == 0 ? Self.replacement : [byte ?? 0]
    case .commentStart:
      if byte == dash {
        state = .commentStartDash
      } else if byte == Self.c(">") {
        emitComment()
        state = .data
      } else {
        reconsume(in: .comment)
      }
    case .commentStartDash:
      if byte == dash {
        state = .commentEnd
      } else if byte == Self.c(">") {
        emitComment()
        state = .data
      } else {
        return commentText(byte, after: "-")
      }
    case .comment:
      if byte == dash { state = .commentEndDash } else { return commentText(byte, after: "") }
    case .commentEndDash:
      if byte == dash { state = .commentEnd } else { return commentText(byte, after: "-") }
    case .commentEnd:
      if byte == Self.c(">") {
        emitComment()
        state = .data
      } else if byte == Self.c("!") {
        state = .commentEndBang
      } else if byte == dash {
        buffer.append(dash)
      } else {
        return commentText(byte, after: "--")
      }
    case .commentEndBang:
      if byte == dash {
        buffer += Array("--!".utf8)
        state = .commentEndDash
      } else if byte == Self.c(">") {
        emitComment()
        state = .data
      } else {
        return commentText(byte, after: "--!")
      }
    case .cdataBracket:
      if byte == Self.c("]") {
        state = .cdataEnd
      } else {
        emit("]")
        reconsume(in: .cdata)
      }
    default:
      if byte == Self.c("]") {
        emit("]")
      } else if byte == Self.c(">") {
        state = .data
      } else {
        emit("]]")
        reconsume(in: .cdata)
      }
    }
    return true
  }

  /// A character of a comment behind dashes that turned out to be its text; at the end of the input they are not.
  mutating func commentText(_ byte: UInt8?, after dashes: String) -> Bool {
    guard let byte else {
      emitComment()
      return false
    }
    buffer += Array(dashes.utf8)
    buffer += byte == 0 ? Self.replacement : [byte]
    state = .comment
    return true
  }

  static let names: [String: [UInt32]] = {
    let table = UnsafeBufferPointer(start: sluice_html_entities_bytes(), count: sluice_html_entities_size)
    var names: [String: [UInt32]] = [:]
    for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: "\t")
      names[String(parts[0])] = parts[1].split(separator: " ").map { UInt32($0, radix: 16) ?? 0 }
    }
    return names
  }()

  /// What a reference whose `&` was just consumed stands for.
  mutating func reference(isAttribute: Bool) -> [UInt8] {
    if index < input.count, input[index] == Self.c("#") { return numericReference() }
    var length = min(33, input.count - index)
    while length > 0 {
      let candidate = String(decoding: input[index..<index + length], as: UTF8.self)
      if let scalars = Self.names[candidate] {
        let after = index + length < input.count ? input[index + length] : 0
        let isTextAfter = after == Self.c("=") || after.isASCIILetter || after.isASCIIDigit
        if isAttribute, !candidate.hasSuffix(";"), isTextAfter { break }
        index += length
        var result: [UInt8] = []
        for scalar in scalars { result.append(scalar: scalar) }
        return result
      }
      length -= 1
    }
    return [Self.c("&")]
  }

  mutating func numericReference() -> [UInt8] {
    var position = index + 1
    let isHex = position < input.count && input[position] | 0x20 == Self.c("x")
    if isHex { position += 1 }
    let start = position
    while position < input.count, isHex ? input[position].hexDigit != nil : input[position].isASCIIDigit {
      position += 1
    }
    guard position > start else { return [Self.c("&")] }
    let digits = String(decoding: input[start..<position], as: UTF8.self)
    if position < input.count, input[position] == Self.c(";") { position += 1 }
    index = position
    let value = UInt32(digits, radix: isHex ? 16 : 10) ?? 0x110000
    var result: [UInt8] = []
    if value >= 0x80, value < 0xA0 {
      let mapped: [UInt32] = [
        0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152,
        0x8D, 0x17D, 0x8F, 0x90,
        0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D,
        0x17E, 0x178,
      ]
      result.append(scalar: mapped[Int(value - 0x80)])
    } else {
      result.append(scalar: value == 0 ? 0xFFFD : value)
    }
    return result
  }
}
