namespace EgpuFleet.Silo.Gateway;

/// <summary>Stop strings of any request.</summary>
public static class StopRules
{
    public static string[] Check(IReadOnlyList<string?> stop, string field)
    {
        ArgumentNullException.ThrowIfNull(stop);
        if (stop.Count > Limits.StopStrings)
            throw GatewayException.Invalid(field, $"may have at most {Limits.StopStrings} strings");
        var checkedStrings = new string[stop.Count];
        for (var i = 0; i < checkedStrings.Length; i++)
        {
            checkedStrings[i] =
                stop[i] is { Length: > 0 and <= Limits.StopStringLength } text && Texts.IsStorable(text)
                    ? text
                    : throw GatewayException.Invalid(field, $"strings need 1 to {Limits.StopStringLength} characters");
        }
        return checkedStrings;
    }
}
