namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>
/// The files and methods that may be longer than the limit, each with the reason that makes it clearer in one piece.
/// A method is named <c>path#Method</c>. An exception that is no longer needed is a finding.
/// </summary>
public static class LengthExceptions
{
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>();
}
