import Bytes
import Storage

/// How a training framework numbers its ranks, who of them reads, and in which order a batch is shared.
public enum Framework: String, CaseIterable, Sendable {
  case megatron
  case nanotron
  case torchtitan
  case olmo
  case deepspeed
  case gptNeoX = "gpt-neox"

  /// The axes, innermost (stride 1) first. Expert ranks are carved out of the others and change no data.
  ///
  /// - Source: Megatron-LM's `RankGenerator` and its default order; DeepSpeed's `PipeModelDataParallelTopology` (pipe,
  ///   data, model from the outside in), which for the axes that it has is the same order.
  public var rankOrder: [Topology.Axis] { [.tensor, .context, .expert, .data, .pipeline] }

  /// Position of an item within its step.
  public var positionRule: SequencePlan.Rule {
    switch self {
    case .megatron, .nanotron, .torchtitan: .microBatchMajor
    case .deepspeed, .gptNeoX: .rankMajor
    case .olmo: .interleaved
    }
  }

  /// Does a rank at these coordinates read tokens itself? Others get theirs by broadcast, or need none.
  func reads(_ place: Topology.Coordinates, _ topology: Topology) -> Bool {
    let isEdge = place.pipeline == 0 || place.pipeline == topology.pipeline - 1
    switch self {
    case .megatron, .gptNeoX: return isEdge && place.tensor == 0
    case .deepspeed, .nanotron: return isEdge
    case .torchtitan, .olmo: return true
    }
  }
}

/// The shape of a cluster: sizes of the parallel axes, and the order in which ranks run through them.
public struct Topology: Equatable, Sendable {
  public enum Axis: String, CaseIterable, Sendable {
    case tensor = "tp"
    case context = "cp"
    case expert = "ep"
    case data = "dp"
    case pipeline = "pp"
  }

  public struct Coordinates: Equatable, Sendable {
    public var tensor = 0
    public var context = 0
    public var data = 0
    public var pipeline = 0
  }

  public let gpus: Int
  public let tensor: Int
  public let context: Int
  public let pipeline: Int
  public let expert: Int
  /// Replicas of the model: each reads its own share of every batch.
  public let data: Int
  /// Innermost first.
  public let rankOrder: [Axis]

  public static let gpusMax = 1 << 24

  /// - Throws: `.usage` if the sizes do not divide the GPUs; the message names shapes that do.
  public init(
    gpus: Int, tensor: Int = 1, context: Int = 1, pipeline: Int = 1, expert: Int = 1,
    rankOrder: [Axis] = Framework.megatron.rankOrder
  ) throws(StorageError) {
    guard gpus >= 1, gpus <= Self.gpusMax else {
      throw .usage("--gpus must lie between 1 and \(Self.gpusMax).")
    }
    for (name, size) in [
      ("--tensor-parallel", tensor), ("--context-parallel", context), ("--pipeline-parallel", pipeline),
      ("--expert-parallel", expert),
    ] where size < 1 || size > Self.gpusMax {
      throw .usage("\(name) must lie between 1 and \(Self.gpusMax).")
    }
    // At most 2^48 before the last factor is looked at, so no overflow.
    let plane = tensor * context
    guard plane <= gpus, plane * pipeline <= gpus, gpus % (plane * pipeline) == 0 else {
      throw .usage(Self.advice(gpus, tensor, context, pipeline))
    }
    let data = gpus / (plane * pipeline)
    guard expert == 1 || (data * plane) % expert == 0 else {
      throw .usage(
        "--expert-parallel \(expert) does not divide DP·CP·TP = \(data * plane). "
          + "Valid sizes: \(Self.list(Self.divisors(data * plane))).")
    }
    self.gpus = gpus
    self.tensor = tensor
    self.context = context
    self.pipeline = pipeline
    self.expert = expert
    self.data = data
    self.rankOrder = rankOrder
  }

  /// Reads an order such as `tp-cp-ep-dp-pp`; `cp` and `ep` may be missing (they then have no say).
  ///
  /// - Throws: `.usage`.
  public static func parseRankOrder(_ text: String, context: Int) throws(StorageError) -> [Axis] {
    var axes: [Axis] = []
    for name in text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false) {
      guard let axis = Axis(rawValue: String(decoding: name, as: UTF8.self)), !axes.contains(axis) else {
        throw .usage("--rank-order: “\(text)” should name each of tp, cp, ep, dp, pp once, innermost first.")
      }
      axes.append(axis)
    }
    for axis in [Axis.tensor, .data, .pipeline] + (context > 1 ? [.context] : []) where !axes.contains(axis) {
      throw .usage("--rank-order: “\(text)” lacks \(axis.rawValue).")
    }
    return axes
  }

  public var rankOrderText: String { rankOrder.map(\.rawValue).joined(separator: "-") }

  func size(of axis: Axis) -> Int {
    switch axis {
    case .tensor: tensor
    case .context: context
    case .data: data
    case .pipeline: pipeline
    case .expert: 1
    }
  }

  /// How far apart two neighbours along an axis are: the product of the sizes before it.
  func stride(of axis: Axis) -> Int { rankOrder.prefix { $0 != axis }.reduce(1) { $0 * size(of: $1) } }

  /// coordinate(axis) = (rank div the product of the sizes before it) mod its size.
  public func coordinates(ofRank rank: Int) -> Coordinates {
    var place = Coordinates()
    var rest = rank
    for axis in rankOrder {
      let size = size(of: axis)
      let value = rest % size
      rest /= size
      switch axis {
      case .tensor: place.tensor = value
      case .context: place.context = value
      case .data: place.data = value
      case .pipeline: place.pipeline = value
      case .expert: break
      }
    }
    return place
  }

  public func rank(at place: Coordinates) -> Int {
    var rank = 0
    var stride = 1
    for axis in rankOrder {
      switch axis {
      case .tensor: rank += place.tensor * stride
      case .context: rank += place.context * stride
      case .data: rank += place.data * stride
      case .pipeline: rank += place.pipeline * stride
      case .expert: break
      }
      stride *= size(of: axis)
    }
    return rank
  }

  /// Which parts of a sequence of `tokens` ids the context rank computes: of 2·CP equal parts, number c and its mirror
  /// image, so that causal attention costs all ranks the same.
  public func contextSlices(ofRank context: Int, tokens: Int) -> [Range<Int>] {
    guard self.context > 1 else { return [0..<tokens] }
    let part = tokens / (2 * self.context)
    let mirror = 2 * self.context - 1 - context
    return [context * part..<(context + 1) * part, mirror * part..<(mirror + 1) * part]
  }

  private static func advice(_ gpus: Int, _ tensor: Int, _ context: Int, _ pipeline: Int) -> String {
    let plane = tensor * context
    let head = "\(gpus) GPUs are no multiple of TP·CP·PP = \(tensor)·\(context)·\(pipeline). "
    if plane <= gpus, gpus % plane == 0 {
      return head
        + "Valid with TP \(tensor), CP \(context): --pipeline-parallel \(list(divisors(gpus / plane)))."
    }
    if gpus % tensor == 0 {
      return head + "Valid with TP \(tensor): --context-parallel \(list(divisors(gpus / tensor))) with PP 1."
    }
    return head + "Valid for \(gpus) GPUs: --tensor-parallel \(list(divisors(gpus))) with CP 1, PP 1."
  }

  static func divisors(_ number: Int) -> [Int] {
    var low: [Int] = []
    var high: [Int] = []
    var candidate = 1
    while candidate * candidate <= number {
      if number % candidate == 0 {
        low.append(candidate)
        if candidate != number / candidate { high.append(number / candidate) }
      }
      candidate += 1
    }
    return low + high.reversed()
  }

  static func list(_ values: [Int]) -> String {
    let shown = values.prefix(12).map(String.init).joined(separator: ", ")
    return values.count > 12 ? shown + ", …" : shown
  }
}
