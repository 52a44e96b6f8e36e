using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Formats.Tests.Safetensors;

public sealed class SafetensorsFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static TheoryData<string, string> Indexes =>
        new()
        {
            { "", SafetensorsFault.Header },
            { "[]", SafetensorsFault.Header },
            { "{\"metadata\":{}}", SafetensorsFault.Header },
            { "{\"weight_map\":[]}", SafetensorsFault.Header },
            { "{\"weight_map\":{\"a\":1}}", SafetensorsFault.Header },
            { "{\"weight_map\":{},\"weight_map\":{}}", SafetensorsFault.Duplicate },
            { "{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"}}", SafetensorsFault.Duplicate },
            { "{\"weight_map\":{\"a\":\"../one.safetensors\"}}", SafetensorsFault.Shard },
            { "{\"weight_map\":{\"a\":\"sub/one.safetensors\"}}", SafetensorsFault.Shard },
            { "{\"weight_map\":{\"a\":\"sub\\\\one.safetensors\"}}", SafetensorsFault.Shard },
            { "{\"weight_map\":{\"a\":\"one.bin\"}}", SafetensorsFault.Shard },
            { "{\"weight_map\":{\"a\":\"gone.safetensors\"}}", SafetensorsFault.Shard },
            { "{\"weight_map\":{\"b\":\"one.safetensors\"}}", SafetensorsFault.Shard },
            { "{\"weight_map\":{\"a\":\"one.safetensors\"}}{}", SafetensorsFault.Header },
        };

    [Fact]
    public void Several_files_are_one_set_of_tensors()
    {
        Write("model-00002-of-00002.safetensors", "a", 1);
        Write("model-00001-of-00002.safetensors", "b", 2);
        Index(
            """
            {"metadata":{"total_size":8,"more":[1,{}]},
             "weight_map":{"b":"model-00001-of-00002.safetensors","a":"model-00002-of-00002.safetensors"}}
            """
        );
        using var weights = SafetensorsFolder.Open(folder.Path);
        Assert.Equal(["a", "b"], weights.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], weights.Files);
        Assert.Equal(1f, First(weights, "a"));
        Assert.Equal(2f, First(weights, "b"));
    }

    [Fact]
    public void One_file_needs_no_index()
    {
        Write("model.safetensors", "a", 3);
        using var weights = SafetensorsFolder.Open(folder.Path);
        Assert.Equal(["model.safetensors"], weights.Files);
        Assert.Equal(3f, First(weights, "a"));
        Assert.Null(weights.Find("b"));
    }

    [Fact]
    public void A_folder_without_weights_is_refused()
    {
        var refusal = Assert.Throws<SafetensorsException>(() => SafetensorsFolder.Open(folder.Path));
        Assert.Equal(SafetensorsFault.Shard, refusal.Code);
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public void A_hostile_index_is_refused_with_its_code(string index, string code)
    {
        Write("one.safetensors", "a", 1);
        Index(index);
        var refusal = Assert.Throws<SafetensorsException>(() => SafetensorsFolder.Open(folder.Path));
        Assert.Equal(code, refusal.Code);
    }

    public void Dispose() => folder.Dispose();

    private void Index(string text) => File.WriteAllText(folder.At("model.safetensors.index.json"), text);

    private void Write(string file, string name, float value)
    {
        var writer = new SafetensorsWriter();
        writer.Add(name, [1], new[] { value });
        writer.WriteTo(folder.At(file));
    }

    private static float First(SafetensorsFolder weights, string name)
    {
        var bytes = new byte[4];
        weights.Read(weights.Find(name)!, 0, bytes);
        return BitConverter.ToSingle(bytes);
    }
}
