using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Formats.Tests.Safetensors;

public sealed class IndependentReaderTests
{
    [Fact]
    public async Task Another_reader_reads_what_ours_wrote()
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("state.safetensors");
        var writer = new SafetensorsWriter();
        writer.AddMetadata("format", "pt");
        writer.AddMetadata("note", "Ω \"quoted\"");
        writer.Add("blk.0.attn_q.lora_a", [2, 2], new[] { 1f, -2f, 0.1f, 3e38f });
        writer.Add("none", [0, 3], Array.Empty<float>());
        writer.Add("one", [], new[] { 5f });
        writer.WriteTo(path);

        var read = await IndependentReader.ReadAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal("Ω \"quoted\"", read.GetProperty("metadata").GetProperty("note").GetString());
        var tensors = read.GetProperty("tensors");
        Assert.Equal(["blk.0.attn_q.lora_a", "none", "one"], tensors.EnumerateObject().Select(one => one.Name));
        var matrix = tensors.GetProperty("blk.0.attn_q.lora_a");
        Assert.Equal([2, 2], matrix.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()));
        Assert.Equal(
            [1f, -2f, 0.1f, 3e38f],
            matrix.GetProperty("values").EnumerateArray().Select(value => (float)value.GetDouble())
        );
    }
}
