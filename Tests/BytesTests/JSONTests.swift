import Bytes
import TestSupport
import Testing

@Suite struct JSONTests {
  static func parses(_ text: String) -> Bool { (try? JSONValue.parse(Array(text.utf8))) != nil }
  static func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

  @Test(arguments: [
    "0", "-0", "-1", "10", "1.5", "1e5", "1E+5", "1.0e-3", "123456789012345678901234567890", "1e400",
    "-1e-400",
    "\"\"", "\"a\"", "\"\\u0041\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\u{7F}\"", "\"é漢🙂\"", "[]", "[ ]", "[1]", "[1,2]", " [ 1 , 2 ] ", "{}", "{ }", "{\"a\":1}",
    "{\"a\":1,\"a\":2}", "{\"\":null}", "\t\r\n true \n", "null", "false", "[[[[[[]]]]]]", "{\"a\":[{}]}",
  ])
  func `accepts what RFC 8259 allows`(text: String) {
    #expect(Self.parses(text))
  }

  @Test(arguments: [
    "", " ", "+1", "01", "-01", "-", "1.", ".5", "1.e5", "1e", "1e+", "0x10", "1_0", "NaN", "Infinity", "nul",
    "nullx", "True", "tru", "\"", "\"a", "\"\\", "\"\\u12\"", "\"\\u12G4\"", "\"\\x41\"", "\"\\a\"", "\"\t\"",
    "\"a\nb\"", "\"\u{0}\"", "'a'", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "[1]]", "{",
    "}",
    "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1}}",
    "{,}", "[\"a\":1]", "{\"a\",\"b\"}", "1 2", "true false", "\u{FEFF}1", "\u{A0}1", "\u{0C}1", "//", "1//x",
    "[1]/**/", "\\u0041", "{\"a\":1", "{\"a\":", "{\"a", "\"\\u", "\"\\ud83d\\", "-x", "1a",
  ])
  func `refuses what RFC 8259 does not allow`(text: String) {
    #expect(!Self.parses(text))
  }

  @Test func `depth 64 is allowed and depth 65 is not, in arrays and in objects`() {
    func nested(_ depth: Int, _ open: String, _ close: String) -> String {
      String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      #expect(Self.parses(nested(64, open, close)))
      #expect(throws: JSONScanner.Failure.self) { try Self.parse(nested(65, open, close)) }
      #expect(!Self.parses(String(repeating: open, count: 100_000)))
    }
  }

  @Test func `a failure names the byte`() {
    #expect(throws: JSONScanner.Failure.malformed(at: 6)) { try Self.parse("[1, 2 x]") }
  }

  @Test func `strings survive escaping and unescaping`() {
    var random = SeededRandom(seed: 6)
    let alphabet = Array("a\"\\\u{0}\u{1}\u{8}\t\n\u{B}\u{C}\r\u{1F} \u{7F}é漢🙂/".unicodeScalars)
    for length in 0..<200 {
      var text = String.UnicodeScalarView()
      for _ in 0..<length { text.append(alphabet.randomElement(using: &random) ?? "a") }
      let bytes = Array(String(text).utf8)
      let escaped = bytes.escaped()
      #expect(escaped.stringEnd() == escaped.count)
      let back = Array(escaped[1..<escaped.count - 1]).unescaped()
      #expect(back.bytes == bytes)
      #expect(back.replaced == 0)
    }
  }

  @Test func `escapes are canonical`() {
    var out: [UInt8] = []
    JSONText.append(string: "\"\\/\u{8}\t\n\u{C}\r\u{0}\u{1F}\u{7F}é", to: &out)
    #expect(out.string == #""\"\\/\b\t\n\f\r\u0000\u001f\#u{7F}é""#)
  }

  @Test(arguments: [
    (#"\ud83d\ude00"#, "😀", 0), (#"\uD83D\uDE00x"#, "😀x", 0),
    (#"\ud800"#, "\u{FFFD}", 1), (#"\udc00"#, "\u{FFFD}", 1), (#"\ud800\ud800"#, "\u{FFFD}\u{FFFD}", 2),
    (#"\ude00\ud83d"#, "\u{FFFD}\u{FFFD}", 2), (#"\ud800A"#, "\u{FFFD}A", 1), (#"\ud800\n"#, "\u{FFFD}\n", 1),
    (#"\ud800\u0041"#, "\u{FFFD}A", 1), (#"\u0000"#, "\u{0}", 0), (#"\uffff"#, "\u{FFFF}", 0),
    (#"\/"#, "/", 0),
  ])
  func `surrogates pair up, and lone ones are replaced and counted`(raw: String, text: String, replaced: Int)
  {
    let out = Array(raw.utf8).unescaped()
    #expect(out.bytes.string == text)
    #expect(out.replaced == replaced)
  }

  @Test func `values keep their kind, their order and the first of doubled keys`() throws {
    let value = try Self.parse(#"{"b":1,"a":[true,null,-2,1.5,"x"],"b":3,"big":9223372036854775808}"#)
    #expect(value["b"]?.int == 1)
    #expect(value["a"]?.array == [.bool(true), .null, .int(-2), .double(1.5), .string("x")])
    #expect(value.members?.map(\.key) == ["b", "a", "b", "big"])
    #expect(value["big"]?.double == 9223372036854775808.0)
    #expect(value["none"] == nil)
    #expect(JSONValue.int(1)["x"] == nil)
    #expect(
      value.serialized().string == #"{"b":1,"a":[true,null,-2,1.5,"x"],"b":3,"big":9.223372036854776e+18}"#)
  }

  @Test func `canonical form sorts keys by bytes at every level and has no white space`() throws {
    let value = try Self.parse(#"{"é":1, "b":{"z":1,"Z":2}, "B":[ {"y":1,"x":2} ], "":0}"#)
    #expect(value.canonical().string == #"{"":0,"B":[{"x":2,"y":1}],"b":{"Z":2,"z":1},"é":1}"#)
  }

  @Test func `indented text has one member a line and parses back`() throws {
    let value: JSONValue = ["a": 1, "b": [], "c": ["d": [true, "x"]], "e": [:]]
    let text = value.serialized(indent: 2)
    #expect(
      text.string
        == """
        {
          "a": 1,
          "b": [],
          "c": {
            "d": [
              true,
              "x"
            ]
          },
          "e": {}
        }
        """)
    #expect(try JSONValue.parse(text) == value)
  }

  @Test func `every finite double reads back as itself`() throws {
    var random = SeededRandom(seed: 7)
    var values: [Double] = [
      0, -0.0, 1, -1, 0.1, 1e15, 1e16, 123456789012345680, 1e-7, .leastNonzeroMagnitude,
      .greatestFiniteMagnitude, .pi, 1e22,
    ]
    for _ in 0..<2_000 { values.append(Double(bitPattern: random.next())) }
    for value in values where value.isFinite {
      let text = JSONValue.number(value)
      let back = try Self.parse(text).double
      #expect(back?.bitPattern == value.bitPattern || value == 0 && back == 0, "\(text)")
    }
    #expect(JSONValue.number(.infinity) == "null")
    #expect(JSONValue.number(.nan) == "null")
  }

  @Test func `members and elements give raw ranges`() throws {
    let bytes = Array(#" { "a" : 1.0e3 , "b\n" : [ 1 , {"c":2} ] } tail"#.utf8)
    var seen: [String] = []
    let end = try JSONScanner.members(of: bytes.span) { (key, value) throws(JSONScanner.Failure) in
      seen.append(bytes[key].string + "=" + bytes[value].string)
    }
    #expect(seen == ["a=1.0e3", #"b\n=[ 1 , {"c":2} ]"#])
    #expect(bytes[end...].string == " tail")
  }

  @Test func `random damage never traps, and what is accepted is written the same way twice`() {
    var random = SeededRandom(seed: 8)
    let seed = Array(
      #"{"id":"a/1","text":"x\u00e9\ud83d\ude00\n","n":[1,-2.5e-3,true,null,{"k":"v"}],"m":{"z":{}}}"#.utf8)
    for _ in 0..<20_000 {
      let bytes = random.mutation(of: seed)
      guard let value = try? JSONValue.parse(bytes) else { continue }
      let once = value.serialized()
      let again = (try? JSONValue.parse(once))?.serialized()
      #expect(again == once, "\(bytes.string)")
    }
  }
}

extension ArraySlice where Element == UInt8 {
  var string: String { String(decoding: self, as: UTF8.self) }
}
