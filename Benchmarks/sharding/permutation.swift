import Glibc

/// Stands in for the hash that derives keys: this benchmark gives its keys itself.
enum SHA256 {
  static func hash(_ bytes: borrowing Span<UInt8>) -> [UInt8] { [UInt8](repeating: 0, count: 32) }
}

func seconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

/// Million indices per processor second, best of five.
func rate(_ count: UInt64, _ body: (KeyedPermutation, UInt64) -> UInt64) -> Double {
  let permutation = KeyedPermutation(count: count, key: 20_260_823)
  let indices = min(count, 8_000_000)
  var best = Double.infinity
  var sum: UInt64 = 0
  for _ in 0..<5 {
    let start = seconds()
    for index in 0..<indices { sum &+= body(permutation, index) }
    best = min(best, seconds() - start)
  }
  if sum == 0 { print("nothing was computed") }
  return Double(indices) / best / 1e6
}

/// The same in blocks of 4,096 indices.
func blockRate(_ count: UInt64) -> Double {
  let permutation = KeyedPermutation(count: count, key: 20_260_823)
  let blocks = min(count, 8_000_000) / 4096
  var values: [UInt64] = []
  var best = Double.infinity
  var sum: UInt64 = 0
  for _ in 0..<5 {
    let start = seconds()
    for block in 0..<blocks {
      permutation.map(block * 4096..<(block + 1) * 4096, into: &values)
      sum &+= values[0]
    }
    best = min(best, seconds() - start)
  }
  if sum == 0 { print("nothing was computed") }
  return Double(blocks * 4096) / best / 1e6
}

@main struct Benchmark {
  static func main() {
    print("| n | map, M indices/s/core | inverse | map in blocks |\n|---|---|---|---|")
    for count: UInt64 in [(1 << 20) - 1, (1 << 26) - 1, (1 << 26) + 1, 73_242_187, (1 << 40) - 1] {
      let map = rate(count) { $0.map($1) }
      let inverse = rate(count) { $0.inverse($1) }
      let block = blockRate(count)
      print(
        "| \(count) | \((map * 10).rounded() / 10) | \((inverse * 10).rounded() / 10) | \((block * 10).rounded() / 10) |"
      )
    }
  }
}
