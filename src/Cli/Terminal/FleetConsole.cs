using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Terminal;

/// <summary>Where a command prints: results to the output, what it is doing to the error stream.</summary>
/// <param name="IsJson">Only JSON goes to the output.</param>
/// <param name="IsInteractive">A person watches: progress may move.</param>
internal sealed record FleetConsole(TextWriter Output, TextWriter Error, bool IsJson, bool IsInteractive)
{
    private static readonly JsonSerializerOptions Indented = new(ApiJson.Options) { WriteIndented = true };

    public static FleetConsole System(bool json) =>
        new(Console.Out, Console.Error, json, !json && !Console.IsOutputRedirected && !Console.IsErrorRedirected);

    /// <summary>A line for people; nothing in JSON mode.</summary>
    public void Line(string text = "")
    {
        if (!IsJson)
            Output.WriteLine(text);
    }

    public void Json<T>(T value) => Output.WriteLine(JsonSerializer.Serialize(value, Indented));

    /// <summary>One value a line, for streams.</summary>
    public void JsonLine<T>(T value) => Output.WriteLine(JsonSerializer.Serialize(value, ApiJson.Options));

    /// <summary>The value as JSON in JSON mode, else what <paramref name="print"/> makes of it.</summary>
    public void Show<T>(T value, Action<T> print)
    {
        if (IsJson)
            Json(value);
        else
            print(value);
    }

    public void Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows) =>
        PlainTable.Write(Output, header, rows);
}
