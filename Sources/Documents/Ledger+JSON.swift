import Bytes

/// The ledger as the body of `report.json`: members sorted by key, so that equal counts give equal bytes.
extension Ledger {
  public var json: JSONValue {
    func tallies(_ table: [String: Tally]) -> JSONValue {
      sorted(table) { .object([.init("bytes", .int($0.bytes)), .init("documents", .int($0.documents))]) }
    }
    return .object([
      .init("documents_in", .int(documentsIn)),
      .init("documents_out", .int(documentsOut)),
      .init("documents_dropped", .int(droppedCount)),
      .init("records_defective", .int(defectCount)),
      .init("records_other", .int(otherCount)),
      .init("text_bytes_in", .int(textBytesIn)),
      .init("text_bytes_out", .int(textBytesOut)),
      .init("drops", tallies(drops)),
      .init("defects", sorted(defects) { .int($0) }),
      .init("marks", sorted(marks) { .int($0) }),
      .init("other", sorted(other) { .int($0) }),
      .init(
        "languages",
        sorted(languages) {
          .object([
            .init("bytes_out", .int($0.bytesOut)), .init("documents_in", .int($0.documentsIn)),
            .init("documents_out", .int($0.documentsOut)),
          ])
        }),
      .init("sources", tallies(sources)),
      .init("counters", sorted(counters) { .int($0) }),
      .init("histograms", sorted(histograms) { .array($0.map { .int($0) }) }),
      .init("defect_list", .array(defectList.map(\.json))),
    ])
  }

  /// The ledger that `json` was made of; missing members count as empty.
  public init(json: JSONValue) {
    self.init()
    documentsIn = json["documents_in"]?.int ?? 0
    documentsOut = json["documents_out"]?.int ?? 0
    textBytesIn = json["text_bytes_in"]?.int ?? 0
    textBytesOut = json["text_bytes_out"]?.int ?? 0
    func tally(_ value: JSONValue) -> Tally {
      Tally(documents: value["documents"]?.int ?? 0, bytes: value["bytes"]?.int ?? 0)
    }
    for member in json["drops"]?.members ?? [] { drops[member.key] = tally(member.value) }
    for member in json["sources"]?.members ?? [] { sources[member.key] = tally(member.value) }
    for member in json["defects"]?.members ?? [] { defects[member.key] = member.value.int ?? 0 }
    for member in json["marks"]?.members ?? [] { marks[member.key] = member.value.int ?? 0 }
    for member in json["other"]?.members ?? [] { other[member.key] = member.value.int ?? 0 }
    for member in json["counters"]?.members ?? [] { counters[member.key] = member.value.int ?? 0 }
    for member in json["languages"]?.members ?? [] {
      var language = LanguageTally()
      language.documentsIn = member.value["documents_in"]?.int ?? 0
      language.documentsOut = member.value["documents_out"]?.int ?? 0
      language.bytesOut = member.value["bytes_out"]?.int ?? 0
      languages[member.key] = language
    }
    for member in json["histograms"]?.members ?? [] {
      histograms[member.key] = (member.value.array ?? []).map { $0.int ?? 0 }
    }
    for value in json["defect_list"]?.array ?? [] { defectList.append(Defect(json: value)) }
  }

  private func sorted<Value>(_ table: [String: Value], _ body: (Value) -> JSONValue) -> JSONValue {
    .object(
      table.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
        .map { .init($0.key, body($0.value)) })
  }
}

extension Defect {
  public var json: JSONValue {
    .object([
      .init("kind", .string(kind)), .init("file", .string(file)), .init("offset", .int(Int(offset))),
      .init("message", .string(message)), .init("loses_record", .bool(losesRecord)),
    ])
  }

  init(json: JSONValue) {
    self.init(
      kind: json["kind"]?.string ?? "", file: json["file"]?.string ?? "",
      offset: Int64(json["offset"]?.int ?? 0),
      message: json["message"]?.string ?? "", losesRecord: json["loses_record"]?.bool ?? true)
  }
}
