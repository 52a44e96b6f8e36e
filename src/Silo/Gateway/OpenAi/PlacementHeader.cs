using System.Globalization;
using System.Text;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>
/// Says on what kind of device a request may run (<c>x-egpufleet-require</c>, <c>x-egpufleet-prefer</c>), and in the answer
/// where it runs (<c>x-egpufleet-placement</c>), so that no request lands on a CPU silently.
/// </summary>
public static class PlacementHeader
{
    public const string Require = "x-egpufleet-require";
    public const string Prefer = "x-egpufleet-prefer";
    public const string Placement = "x-egpufleet-placement";

    /// <exception cref="GatewayException">400: a word that names no kind of device.</exception>
    public static DeviceChoice Read(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new DeviceChoice(Class(request, Require), Class(request, Prefer));
    }

    /// <summary>Names the device in the answer's header; a stream that has begun keeps the one it began with.</summary>
    public static void Write(HttpResponse response, RoutePlacement placement)
    {
        ArgumentNullException.ThrowIfNull(response);
        if (!response.HasStarted)
            response.Headers[Placement] = Format(placement);
    }

    /// <summary>A structured field (RFC 8941): the device as a string, all else as its parameters.</summary>
    public static string Format(RoutePlacement placement)
    {
        ArgumentNullException.ThrowIfNull(placement);
        var text = new StringBuilder(Quoted(placement.Device.ToString()));
        if (placement.Kind is { } kind)
            text.Append(";kind=").Append(DeviceWords.Of(kind));
        if (placement.Engine is { } engine)
            text.Append(";engine=").Append(Quoted(engine));
        if (placement.PredictedSeconds is { } seconds)
            text.Append(CultureInfo.InvariantCulture, $";predicted_seconds={Math.Min(seconds, 1e9):0.000}");
        if (placement.Fallback is { } fallback)
            text.Append(";fallback=").Append(Quoted(fallback));
        return text.ToString();
    }

    private static DeviceClass? Class(HttpRequest request, string header)
    {
        var given = request.Headers[header];
        if (given.Count == 0)
            return null;
        // Several values are none of the words.
        return DeviceWords.Find(given.ToString()) ?? throw RequestFields.Wrong(header, DeviceWords.MustBe);
    }

    /// <summary>What an agent said of itself may hold anything; a header holds printable ASCII.</summary>
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var character in text)
        {
            if (character is '"' or '\\')
                quoted.Append('\\');
            quoted.Append(character is >= ' ' and <= '~' ? character : '?');
        }
        return quoted.Append('"').ToString();
    }
}
