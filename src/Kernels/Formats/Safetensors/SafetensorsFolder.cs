namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>
/// The weights of a Hugging Face folder as one set of tensors: <c>model.safetensors</c>, or the files that
/// <c>model.safetensors.index.json</c> names. Hostile until it is open. Not for several threads at once.
/// </summary>
public sealed class SafetensorsFolder : IDisposable
{
    private const string SingleName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> opened = [];
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsTensor Tensor)> byName = new(
        StringComparer.Ordinal
    );

    private SafetensorsFolder() { }

    /// <summary>Names of the files within the folder, in ordinal order.</summary>
    public IReadOnlyList<string> Files { get; private set; } = [];

    /// <summary>All tensors, by name in ordinal order; offsets are those in their own files.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; private set; } = [];

    /// <summary>Opens the folder's files, and closes them when disposed.</summary>
    /// <exception cref="SafetensorsException">Index or files are not acceptable; see <see cref="SafetensorsException.Code"/>.</exception>
    /// <exception cref="IOException">They cannot be read.</exception>
    public static SafetensorsFolder Open(string folder)
    {
        var weights = new SafetensorsFolder();
        try
        {
            var index = Path.Combine(folder, IndexName);
            if (File.Exists(index))
                weights.AddShards(folder, SafetensorsIndex.Read(index));
            else
                weights.AddAll(folder);
            weights.Tensors =
            [
                .. weights.byName.Values.Select(one => one.Tensor).OrderBy(one => one.Name, StringComparer.Ordinal),
            ];
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The tensor of a name, or null.</summary>
    public SafetensorsTensor? Find(string name) => byName.TryGetValue(name, out var found) ? found.Tensor : null;

    /// <summary>The bytes of a tensor of this folder from <paramref name="offset"/> on, as many as the span holds.</summary>
    /// <exception cref="SafetensorsException">The file has become shorter.</exception>
    public void Read(SafetensorsTensor tensor, long offset, Span<byte> destination) =>
        byName[tensor.Name].File.Read(tensor, offset, destination);

    public void Dispose()
    {
        foreach (var file in opened)
            file.Dispose();
    }

    private void AddAll(string folder)
    {
        Files = [SingleName];
        var file = Shard(folder, SingleName);
        foreach (var tensor in file.Tensors)
            byName.Add(tensor.Name, (file, tensor));
    }

    /// <summary>Tensors of a file that the index does not name stay out.</summary>
    private void AddShards(string folder, IReadOnlyDictionary<string, string> fileOfTensor)
    {
        Files = [.. fileOfTensor.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var files = Files.ToDictionary(name => name, name => Shard(folder, name), StringComparer.Ordinal);
        foreach (var (name, fileName) in fileOfTensor)
        {
            var tensor =
                files[fileName].Find(name)
                ?? throw new SafetensorsException(SafetensorsFault.Shard, $"There is no {name} in {fileName}.");
            byName.Add(name, (files[fileName], tensor));
        }
    }

    private SafetensorsFile Shard(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        if (!File.Exists(path))
            throw new SafetensorsException(SafetensorsFault.Shard, $"The folder has no file {name}.");
        var file = SafetensorsFile.Open(path);
        opened.Add(file);
        return file;
    }
}
