import Bytes

/// HTML to main text. One per worker: it owns an arena and buffers that all its pages reuse.
///
/// Linear in the input, no recursion, no trap on any bytes. The result is a function of the input alone.
public final class HTMLExtractor {
  public struct Result {
    /// The main text: blocks separated by one or two newlines, UTF-8, no newline at the end. Empty if there is none.
    public var text: [UInt8] = []
    /// Content of `title`, white space collapsed.
    public var title: [UInt8] = []
    /// Primary subtag of the page's `lang`, in lower case (`de`), or empty.
    public var language: [UInt8] = []
    /// `link rel=canonical`, as written.
    public var canonicalURL: [UInt8] = []
    /// `article:published_time` or similar, as written, or empty.
    public var created: [UInt8] = []
    /// What went over a limit or was repaired: `nodes-capped`, `depth-capped`, `html-cut`, `unclosed-markup`.
    public var marks: [String] = []

    public init() {}

    /// Empties the result and keeps its memory.
    public mutating func removeAll() {
      text.removeAll(keepingCapacity: true)
      title.removeAll(keepingCapacity: true)
      language.removeAll(keepingCapacity: true)
      canonicalURL.removeAll(keepingCapacity: true)
      created.removeAll(keepingCapacity: true)
      marks.removeAll(keepingCapacity: true)
    }
  }

  private let limits: Limits
  private var builder: HTMLTreeBuilder
  private var renderer = HTMLRenderer()
  private var mainContent = HTMLMainContent()
  private var metadata = HTMLMetadata()

  public init(limits: Limits = .standard) {
    self.limits = limits
    builder = HTMLTreeBuilder(limits: limits)
  }

  /// Extracts the main text of `html` (valid UTF-8, byte order mark stripped) into `result`, replacing what it held.
  public func extract(_ html: borrowing Span<UInt8>, into result: inout Result) {
    result.removeAll()
    if html.count > limits.htmlBytes {
      result.marks.append("html-cut")
      builder.parse(html.extracting(0..<limits.htmlBytes))
    } else {
      builder.parse(html)
    }
    let bytes = builder.tokenizer.bytes
    renderer.render(builder.arena, bytes)
    mainContent.select(builder.arena, &renderer)
    renderer.appendKept(to: &result.text)
    metadata.read(builder.arena, bytes, into: &result)
    if builder.hitNodeLimit { result.marks.append("nodes-capped") }
    if builder.hitDepthLimit { result.marks.append("depth-capped") }
    if builder.tokenizer.hasRecovered { result.marks.append("unclosed-markup") }
    builder.shrink()
    renderer.shrink()
    mainContent.shrink()
  }
}

extension HTMLRenderer {
  /// Appends the kept blocks with the newlines between them.
  func appendKept(to output: inout [UInt8]) {
    var breaks = 0
    for index in 0..<blocks.count {
      let block = blocks[index]
      breaks = max(breaks, Int(block.breaks))
      guard block.isKept else { continue }
      if !output.isEmpty { for _ in 0..<breaks { output.append(10) } }
      breaks = 0
      output.append(
        contentsOf: UnsafeBufferPointer(
          start: text.base + Int(block.start), count: Int(block.end - block.start)))
    }
  }
}
