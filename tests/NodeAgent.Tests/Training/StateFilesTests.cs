using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Training;

namespace EgpuFleet.NodeAgent.Tests.Training;

/// <summary>States on their way between a worker's file and the checkpoint store.</summary>
public sealed class StateFilesTests
{
    private static readonly TrainInfo Session = new(
        new string('a', 64),
        "llama",
        Vocabulary: 8,
        ContextTokens: 16,
        TrainedParameters: 10,
        BaseParameters: 100,
        new TrainEstimate(0, 0, 0, 0, 0, 0),
        [new TrainedTensor("blk.0.attn_q.lora_a", [2, 3]), new TrainedTensor("blk.0.attn_q.lora_b", [2, 2])]
    );

    private static readonly TrainSpec Spec = new(
        "/model.gguf",
        Session.ContentHash,
        Threads: 1,
        TrainMethod.Lora,
        new AdapterShape(2, 4, ["attn_q"]),
        RowTokens: 16,
        RowsPerPass: 1,
        new AdamSettings(),
        Seed: 1
    );

    [Fact]
    public void A_state_comes_back_as_it_went()
    {
        using var folder = new TempFolder();
        var floats = Enumerable.Range(0, 30).Select(i => i * 0.5f).ToArray();
        Write(folder.At("from"), floats);
        var places = StateFiles.PlacesOf(Spec, Session);
        foreach (var buffer in StateFiles.Read(folder.At("from")))
            buffer.Data.CopyTo(places.Place(Described(buffer.Name, buffer.Type, [.. buffer.Shape])));
        places.Write(folder.At("to"), step: 12);

        using var file = SafetensorsFile.Open(folder.At("to"));
        Assert.Equal(
            [("base_sha256", Session.ContentHash), ("format", "egpufleet-train-1"), ("method", "lora"), ("step", "12")],
            file.Metadata.Select(entry => (entry.Key, entry.Value)).Order()
        );
        Assert.Equal(Names, file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(floats, file.Tensors.SelectMany(file.ReadSingles));
    }

    [Fact]
    public void A_new_run_takes_the_weights_alone()
    {
        using var folder = new TempFolder();
        Write(folder.At("from"), new float[30]);
        var places = StateFiles.PlacesOf(Spec, Session);
        foreach (var buffer in StateFiles.Read(folder.At("from")))
            places.Place(Described(buffer.Name, buffer.Type, [.. buffer.Shape]));
        places.Write(folder.At("to"), step: null);

        using var file = SafetensorsFile.Open(folder.At("to"));
        Assert.Equal(Names[..2], file.Tensors.Select(tensor => tensor.Name));
        Assert.DoesNotContain("step", file.Metadata.Keys);
    }

    [Theory]
    [InlineData("blk.9.attn_q.lora_a", ElementType.F32, 2, 3)]
    [InlineData("blk.0.attn_q.lora_a", ElementType.F32, 3, 2)]
    [InlineData("adam.m.blk.0.attn_q.lora_b", ElementType.F32, 2, 1_000_000)]
    [InlineData("blk.0.attn_q.lora_a", ElementType.U8, 2, 3)]
    [InlineData("adam.", ElementType.F32, 2, 3)]
    public void What_is_none_of_the_sessions_tensors_gets_no_memory(
        string name,
        ElementType type,
        long rows,
        long columns
    ) =>
        Assert.Throws<TrainingStateException>(() =>
            StateFiles.PlacesOf(Spec, Session).Place(Described(name, type, [rows, columns]))
        );

    private static string[] Names =>
        [
            "blk.0.attn_q.lora_a",
            "blk.0.attn_q.lora_b",
            "adam.m.blk.0.attn_q.lora_a",
            "adam.m.blk.0.attn_q.lora_b",
            "adam.v.blk.0.attn_q.lora_a",
            "adam.v.blk.0.attn_q.lora_b",
        ];

    private static void Write(string path, float[] floats)
    {
        var file = new SafetensorsWriter();
        var done = 0;
        foreach (var (i, name) in Names.Index())
        {
            long[] shape = i % 2 == 0 ? [2, 3] : [2, 2];
            var count = (int)(shape[0] * shape[1]);
            file.Add(name, shape, floats.AsMemory(done, count));
            done += count;
        }
        file.WriteTo(path);
    }

    private static ManifestTensor Described(string name, ElementType type, long[] shape)
    {
        var bytes = shape[0] * shape[1] * ManifestTensor.Width(type);
        return new ManifestTensor(name, type, shape, bytes, 262_144, []);
    }
}
