/// What to raise when a topology does not fit: changes that do, smallest first. Nothing is changed by itself.
public struct MemoryAdvice {
  public let parameters: Double
  public let shape: ModelShape
  /// An assumed shape's layers bind nobody: any number of stages up to them will do.
  public let isShapeAssumed: Bool
  public let layout: MemoryEstimate.Layout
  public let gpus: Int
  public let globalBatch: Int
  /// Tensor parallelism beyond the fast link costs more than it gives.
  public let tensorMax: Int
  public let capacity: Double

  /// Each entry is one option (or a pair) that makes the plan fit on the same GPUs.
  public var changes: [String] {
    var found: [String] = []
    var changed = layout
    if !layout.isOptimizerDistributed {
      changed.isOptimizerDistributed = true
      if fits(changed) { found.append("leave out --no-distributed-optimizer") }
    }
    for level in Recomputation.allCases.drop(while: { $0 != layout.recomputation }).dropFirst() {
      changed = layout
      changed.recomputation = level
      if fits(changed) {
        found.append("--recompute \(level.rawValue)")
        break
      }
    }
    if layout.microBatch > 1 {
      changed = layout
      changed.microBatch = 1
      changed.microBatches *= layout.microBatch
      if fits(changed) { found.append("--micro-batch 1") }
    }
    if let tensor = tensors.first(where: { $0 > layout.tensor && isFitting($0, layout.pipeline) }) {
      found.append("--tensor-parallel \(tensor)")
    }
    if let pipeline = pipelines.first(where: { $0 > layout.pipeline && isFitting(layout.tensor, $0) }) {
      found.append("--pipeline-parallel \(pipeline)")
    }
    if found.isEmpty, let pair = smallestPair() {
      found.append("--tensor-parallel \(pair.tensor) --pipeline-parallel \(pair.pipeline)")
    }
    return found
  }

  /// Sizes of tensor parallelism worth a look: powers of two within a node.
  private var tensors: [Int] {
    var sizes = [1]
    while let last = sizes.last, last * 2 <= tensorMax { sizes.append(last * 2) }
    return sizes
  }

  /// Whole layers per stage.
  private var pipelines: [Int] {
    isShapeAssumed
      ? Topology.divisors(gpus).filter { $0 <= shape.layers } : Topology.divisors(shape.layers)
  }

  private func smallestPair() -> (tensor: Int, pipeline: Int)? {
    var best: (tensor: Int, pipeline: Int)?
    for tensor in tensors {
      for pipeline in pipelines where isFitting(tensor, pipeline) {
        if best.map({ tensor * pipeline < $0.tensor * $0.pipeline }) ?? true { best = (tensor, pipeline) }
      }
    }
    return best
  }

  private func isFitting(_ tensor: Int, _ pipeline: Int) -> Bool {
    let replica = tensor * pipeline * layout.context
    guard replica <= gpus, gpus % replica == 0 else { return false }
    var changed = layout
    changed.tensor = tensor
    changed.pipeline = pipeline
    changed.data = gpus / replica
    changed.microBatches = globalBatch / (layout.microBatch * changed.data)
    return changed.microBatches >= 1 && fits(changed)
  }

  private func fits(_ layout: MemoryEstimate.Layout) -> Bool {
    MemoryEstimate(parameters: parameters, shape: shape, layout).verdict(capacity: capacity) == .fits
  }
}
