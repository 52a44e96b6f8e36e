using System.Text.Json;

namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>The index of a folder of several files: an object whose <c>weight_map</c> names the file of each tensor.</summary>
internal static class SafetensorsIndex
{
    /// <summary>Metadata beside the map nests a little; nothing is read from it.</summary>
    private const int Depth = 16;

    private const string Suffix = ".safetensors";

    /// <summary>File names by tensor names.</summary>
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        var length = new FileInfo(path).Length;
        if (length > Limits.SafetensorsHeaderBytes)
            throw Fault(SafetensorsFault.Limit, $"An index of {length} bytes is longer than any real one.");
        try
        {
            return Parse(File.ReadAllBytes(path));
        }
        catch (JsonException cause)
        {
            throw Fault(SafetensorsFault.Header, $"The index is not JSON: {cause.Message}");
        }
    }

    private static Dictionary<string, string> Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Depth });
        Dictionary<string, string>? map = null;
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Fault(SafetensorsFault.Header, "The index is no object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = SafetensorsText.Of(ref reader, Limits.KeyBytes, "a field of the index", mayBeEmpty: true);
            reader.Read();
            if (field != "weight_map")
                reader.Skip();
            else if (map is null)
                map = Map(ref reader);
            else
                throw Fault(SafetensorsFault.Duplicate, "The index has weight_map twice.");
        }
        reader.Read();
        return map ?? throw Fault(SafetensorsFault.Header, "The index has no weight_map.");
    }

    private static Dictionary<string, string> Map(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Fault(SafetensorsFault.Header, "The weight_map of the index is no object.");
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        var files = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = SafetensorsText.Of(ref reader, Limits.SafetensorsNameBytes, "a tensor's name");
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Fault(SafetensorsFault.Header, $"The file of {name} is no text.");
            var file = SafetensorsText.Of(ref reader, Limits.KeyBytes, $"the file of {name}");
            RequirePlain(file);
            files.Add(file);
            if (!map.TryAdd(name, file))
                throw Fault(SafetensorsFault.Duplicate, $"The tensor {name} appears twice.");
            if (map.Count > Limits.Tensors || files.Count > Limits.SafetensorsShards)
                throw Fault(SafetensorsFault.Limit, "More tensors or files than any model has.");
        }
        return map;
    }

    /// <summary>A name within the folder: an index from outside must not make this program read another file.</summary>
    private static void RequirePlain(string file)
    {
        if (file.AsSpan().IndexOfAny("/\\\0") >= 0 || !file.EndsWith(Suffix, StringComparison.Ordinal))
            throw Fault(SafetensorsFault.Shard, $"{file} is no name of a file of safetensors in this folder.");
    }

    private static SafetensorsException Fault(string code, string text) => new(code, text);
}
