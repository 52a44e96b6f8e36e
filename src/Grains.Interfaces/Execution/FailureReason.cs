namespace EgpuFleet.Grains.Interfaces.Execution;

/// <summary>A shard's failure in one line, as the ledger's log and the end of its job tell it: the device's code, then its words.</summary>
public static class FailureReason
{
    private const string Separator = ": ";

    public static string Of(ShardFailure failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return $"{failure.Code}{Separator}{failure.Message}";
    }

    /// <summary>Code and words; null for a line that begins with no code.</summary>
    public static (string Code, string Message)? Read(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        var end = reason.IndexOf(Separator, StringComparison.Ordinal);
        return end > 0 && reason[..end].All(IsOfCode) ? (reason[..end], reason[(end + Separator.Length)..]) : null;
    }

    private static bool IsOfCode(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_';
}
