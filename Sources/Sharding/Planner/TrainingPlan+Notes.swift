/// What a user should know before believing the figures.
extension TrainingPlan {
  /// Sentences; empty if nothing stands out.
  public var notes: [String] {
    var notes: [String] = []
    if memory.verdict(capacity: request.device.memoryBytes) != .fits {
      let changes = memoryAdvice
      notes.append(
        "A rank needs \(Quantity.bytes(memory.total)) and has \(Quantity.bytes(request.device.memoryBytes)). "
          + (changes.isEmpty
            ? "No tensor and pipeline parallelism on \(gpus) GPUs fits: take more GPUs, or ones with more memory."
            : "Any of these fits: \(changes.joined(separator: "; ")).")
      )
    }
    if let knee = counts.knee, gpus > knee.gpus {
      notes.append(
        "\(gpus) GPUs are beyond the knee at \(knee.gpus): a larger batch or a faster network moves it.")
    }
    if request.tensor > gpusPerNode {
      notes.append(
        "Tensor parallelism \(request.tensor) leaves the node of \(gpusPerNode); the MFU will be lower than assumed."
      )
    }
    if gpus > gpusPerNode, gpus % gpusPerNode != 0 {
      notes.append("\(gpus) GPUs are no whole number of nodes of \(gpusPerNode).")
    }
    if request.shape != nil {
      let chunks = request.pipeline * request.virtualStages
      if shape.layers % chunks != 0 {
        notes.append("\(shape.layers) layers do not divide by PP · virtual stages = \(chunks).")
      }
      if shape.heads % request.tensor != 0 {
        notes.append("\(shape.heads) heads do not divide by TP = \(request.tensor).")
      }
    }
    if request.context > 1, sequence % (2 * request.context) != 0 {
      notes.append("\(sequence) ids per sequence do not divide by 2 · CP = \(2 * request.context).")
    }
    if request.epochs > 4 {
      notes.append(
        "More than 4 epochs: repeated tokens are worth less than new ones (Muennighoff et al. 2023).")
    }
    if steps < 1 {
      notes.append("The tokens do not fill one step of \(Quantity.short(batchTokens)) tokens.")
    }
    return notes
  }
}
