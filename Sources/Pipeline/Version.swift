/// The version of the program: part of every manifest, since outputs are a function of it.
public enum Version {
  public static let number = "0.1.0"
}
