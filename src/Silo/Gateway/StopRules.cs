namespace EgpuFleet.Silo.Gateway;

/// <summary>Stop strings of any request.</summary>
public static class StopRules
{
    public static string[] Check(IReadOnlyList<string?> stop, Func<string, GatewayException> fault)
    {
        ArgumentNullException.ThrowIfNull(stop);
        ArgumentNullException.ThrowIfNull(fault);
        if (stop.Count > Limits.StopStrings)
            throw fault($"may have at most {Limits.StopStrings} strings");
        var checkedStrings = new string[stop.Count];
        for (var i = 0; i < checkedStrings.Length; i++)
        {
            checkedStrings[i] =
                stop[i] is { Length: > 0 and <= Limits.StopStringLength } text && Texts.IsStorable(text)
                    ? text
                    : throw fault($"strings need 1 to {Limits.StopStringLength} characters");
        }
        return checkedStrings;
    }
}
