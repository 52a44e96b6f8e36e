using System.Text.Json;

namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>One thing in a report of <c>system_profiler</c>.</summary>
/// <param name="Depth">0 for the things right below the kind of report; what hangs on them is deeper.</param>
/// <param name="Fields">Its texts by key; those of an object in it as <c>object.key</c>.</param>
public sealed record ProfilerItem(string Name, int Depth, IReadOnlyDictionary<string, string> Fields)
{
    /// <summary>The first of these keys that is there.</summary>
    public string? Field(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (Fields.TryGetValue(key, out var value))
                return value;
        }
        return null;
    }
}

/// <summary>A report of <c>system_profiler</c>, whatever its text was: what cannot be read is empty.</summary>
public sealed record ProfilerReport(
    IReadOnlyList<ProfilerItem> Pci,
    IReadOnlyList<ProfilerItem> Thunderbolt,
    IReadOnlyList<ProfilerItem> Displays
)
{
    public static ProfilerReport Empty { get; } = new([], [], []);

    /// <summary>Reads <c>system_profiler -json SPPCIDataType SPThunderboltDataType SPDisplaysDataType</c>.</summary>
    /// <returns>Null where the text is not JSON of that kind: cut off, too deep, or something else.</returns>
    public static ProfilerReport? ParseJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = Limits.ReportDepth });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ProfilerReport(
                    Items(document.RootElement, "SPPCIDataType"),
                    Items(document.RootElement, "SPThunderboltDataType"),
                    Items(document.RootElement, "SPDisplaysDataType")
                )
                : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            // Not JSON, or text in it that is no Unicode.
            return null;
        }
    }

    /// <summary>
    /// Reads what <c>system_profiler SPPCIDataType</c> prints for people, as public reports quote it: a line that ends with a
    /// colon begins a thing, lines of the form <c>Key: value</c> are its fields.
    /// </summary>
    public static IReadOnlyList<ProfilerItem> ParseText(string text)
    {
        var items = new List<ProfilerItem>();
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var name = "";
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon <= 0)
                continue;
            var key = line[..colon].Trim().ToString();
            var value = line[(colon + 1)..].Trim();
            if (value.Length > 0)
            {
                fields.TryAdd(key, value.ToString());
                continue;
            }
            Close();
            name = key;
        }
        Close();
        return items;

        void Close()
        {
            if (fields.Count > 0 && items.Count < Limits.ReportItems)
                items.Add(new ProfilerItem(name, 0, fields));
            fields = new Dictionary<string, string>(StringComparer.Ordinal);
        }
    }

    private static List<ProfilerItem> Items(JsonElement root, string kind)
    {
        var items = new List<ProfilerItem>();
        if (root.TryGetProperty(kind, out var list))
            Collect(list, 0, items);
        return items;
    }

    private static void Collect(JsonElement list, int depth, List<ProfilerItem> items)
    {
        if (list.ValueKind != JsonValueKind.Array)
            return;
        foreach (var element in list.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Object || items.Count >= Limits.ReportItems)
                continue;
            var fields = new Dictionary<string, string>(StringComparer.Ordinal);
            Texts(element, "", fields);
            items.Add(new ProfilerItem(fields.GetValueOrDefault("_name", ""), depth, fields));
            if (element.TryGetProperty("_items", out var below))
                Collect(below, depth + 1, items);
        }
    }

    private static void Texts(JsonElement element, string prefix, Dictionary<string, string> fields)
    {
        foreach (var property in element.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.String)
                fields.TryAdd(prefix + property.Name, property.Value.GetString()!);
            else if (property.Value.ValueKind == JsonValueKind.Object && prefix.Length == 0)
                Texts(property.Value, property.Name + ".", fields);
        }
    }
}
