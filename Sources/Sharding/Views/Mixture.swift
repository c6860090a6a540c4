import Bytes
import Storage

extension View {
  /// How much of a batch comes from which source or language, and how often a class may be read again.
  ///
  /// The global order is dealt out in blocks of `block` positions. Each class has exactly `share` positions of every block,
  /// at places that a permutation of the block picks, so position → (class, index) is arithmetic. A class that is used up
  /// begins its next epoch, in another order, whatever the others do; in the block where that happens, the two epochs may
  /// take turns.
  public struct Mixture: Equatable, Sendable {
    public struct Class: Equatable, Sendable {
      /// Of the source or language.
      public var name: String
      /// What was asked for; all classes together 10^6.
      public var weightPPM: Int
      /// Epochs of this class that a run may read at most; nil: any number.
      public var repetitionsMax: Int?
      /// Positions of a block.
      public var share: Int
      /// Sequences that the class holds.
      public var sequences: Int
    }

    public var by: Grouping
    /// Epochs for which the repetition limits were checked; the view is valid for these.
    public var epochs: Int
    public var block: Int
    public var classes: [Class]

    /// How often `share` positions of each of `blocks` blocks read the class.
    public func repetitions(of number: Int, positions: Int) -> Double {
      let kind = classes[number]
      return Double(positions) * Double(kind.share) / Double(block) / Double(max(1, kind.sequences))
    }
  }
}

/// What a user asks of a mixture: weights in any unit, limits by name.
public struct MixtureOptions: Equatable, Sendable {
  public var by: Grouping
  /// In the order asked for; weights are relative to their sum.
  public var weights: [(name: String, weight: Double)]
  /// Limits by name.
  public var repetitions: [(name: String, count: Int)]
  /// Limit of the classes without one of their own.
  public var repetitionsMax: Int?

  public static let classesMax = 256
  public static let repetitionsLimit = 1 << 20

  public init(by: Grouping = .source) {
    self.by = by
    weights = []
    repetitions = []
  }

  public static func == (left: Self, right: Self) -> Bool {
    left.by == right.by && left.weights.elementsEqual(right.weights, by: ==)
      && left.repetitions.elementsEqual(right.repetitions, by: ==)
      && left.repetitionsMax == right.repetitionsMax
  }

  /// Reads `web=70%,wiki=30%` (weights: any positive numbers, a percent sign is only for people) and `wiki=4` or `4`.
  ///
  /// - Throws: `.usage`.
  public init(by: Grouping, parsing text: String, repetitions limits: String?) throws(StorageError) {
    self.init(by: by)
    for item in text.split(separator: ",") {
      guard let (name, value) = Self.pair(item), let weight = Self.number(value), weight > 0 else {
        throw .usage("--mixture: “\(item)” should be a name and a positive weight, such as wiki=30%.")
      }
      guard !weights.contains(where: { $0.name == name }) else {
        throw .usage("--mixture: “\(name)” is named twice.")
      }
      weights.append((name, weight))
    }
    guard !weights.isEmpty, weights.count <= Self.classesMax else {
      throw .usage("--mixture names 1 to \(Self.classesMax) classes, such as web=70%,wiki=30%.")
    }
    for item in (limits ?? "").split(separator: ",") {
      let named = Self.pair(item)
      guard let count = Int(named?.value ?? String(item)), count >= 1, count <= Self.repetitionsLimit else {
        throw .usage(
          "--repeat: “\(item)” should be a whole number of epochs, such as 4 or wiki=4, up to \(Self.repetitionsLimit)."
        )
      }
      if let named {
        guard weights.contains(where: { $0.name == named.name }) else {
          throw .usage("--repeat: “\(named.name)” is not among the classes of --mixture.")
        }
        repetitions.append((named.name, count))
      } else {
        repetitionsMax = count
      }
    }
  }

  private static func pair(_ item: Substring) -> (name: String, value: String)? {
    guard let equals = item.lastIndex(of: "=") else { return nil }
    let name = String(item[..<equals])
    return name.isEmpty ? nil : (name, String(item[item.index(after: equals)...]))
  }

  private static func number(_ text: String) -> Double? {
    let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let value = Double(digits), value.isFinite, value <= 1e12 else { return nil }
    return value
  }
}

/// Position ↔ (class, index within the class) of a mixture, by arithmetic.
struct MixtureOrder: Sendable {
  /// Stream of the order inside a block; its number takes the place of the epoch.
  static let stream: UInt64 = 1 << 62

  let classes: [View.Mixture.Class]
  /// Number of each class's first sequence.
  let firsts: [Int]
  private let block: Int
  private let seed: UInt64
  /// First place of each class in a block, and the block's size.
  private let places: [Int]

  init(_ mixture: View.Mixture, seed: Int) {
    classes = mixture.classes
    block = mixture.block
    self.seed = UInt64(seed)
    var first = 0
    var place = 0
    var firsts: [Int] = []
    var places: [Int] = []
    for kind in mixture.classes {
      firsts.append(first)
      places.append(place)
      first += kind.sequences
      place += kind.share
    }
    self.firsts = firsts
    self.places = places
  }

  /// The class whose turn it is, and which of its readings (through all its epochs) this is.
  func index(at position: Int) -> (kind: Int, index: Int) {
    let (number, rest) = position.quotientAndRemainder(dividingBy: block)
    let place = Int(permutation(ofBlock: number).map(UInt64(rest)))
    let kind = Self.last(places, atMost: place)
    return (kind, number * classes[kind].share + place - places[kind])
  }

  func position(of kind: Int, index: Int) -> Int {
    let (number, rest) = index.quotientAndRemainder(dividingBy: classes[kind].share)
    return number * block + Int(permutation(ofBlock: number).inverse(UInt64(places[kind] + rest)))
  }

  func kind(ofSequence sequence: Int) -> Int { Self.last(firsts, atMost: sequence) }

  private func permutation(ofBlock number: Int) -> KeyedPermutation {
    KeyedPermutation(count: UInt64(block), seed: seed, epoch: UInt64(number), stream: Self.stream)
  }

  private static func last(_ values: [Int], atMost value: Int) -> Int {
    var low = 0
    var high = values.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if values[middle] <= value { low = middle } else { high = middle }
    }
    return low
  }
}
