namespace EgpuFleet.Silo.Gateway;

/// <summary>What text from outside must be like.</summary>
public static class Texts
{
    /// <summary>Postgres keeps every character but U+0000 in a text.</summary>
    public static bool IsStorable(string text) => !text.Contains('\0', StringComparison.Ordinal);
}
