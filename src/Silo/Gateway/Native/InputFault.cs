using System.Net;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>What is wrong with one line or item of a batch's input.</summary>
public static class InputFault
{
    /// <param name="line">Number of the line, from 1.</param>
    public static GatewayException At(int line, string reason) => Of($"line {line}", reason);

    /// <param name="index">Index in <c>items</c>, from 0.</param>
    public static GatewayException AtItem(int index, string reason) => Of($"items[{index}]", reason);

    private static GatewayException Of(string place, string reason) =>
        new(HttpStatusCode.UnprocessableEntity, "invalid_input", $"{Capital(place)}: {reason}.")
        {
            Param = place,
            Errors = new Dictionary<string, string[]>(StringComparer.Ordinal) { [place] = [reason] },
        };

    private static string Capital(string place) =>
        place.StartsWith("line", StringComparison.Ordinal) ? $"L{place[1..]}" : place;
}
