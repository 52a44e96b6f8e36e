using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Formats.Tests.Adapters;

public sealed class HostileAdapterTests
{
    private static readonly string Base = SmallModel.Sha256;

    public static TheoryData<string, string, Action<GgufWriter>> Files =>
        new()
        {
            { "a model", AdapterFault.Format, writer => writer.Add("general.type", "model") },
            { "no type", AdapterFault.Format, _ => { } },
            { "no lora", AdapterFault.Format, Head(kind: "dora") },
            { "no alpha", AdapterFault.Format, Head(alpha: null) },
            { "alpha 0", AdapterFault.Format, Head(alpha: 0) },
            { "alpha no number", AdapterFault.Format, Head(alpha: float.NaN) },
            { "alpha infinite", AdapterFault.Format, Head(alpha: float.PositiveInfinity) },
            { "no base", AdapterFault.Format, Head(sha256: null) },
            { "no hash", AdapterFault.Format, Head(sha256: "x") },
            {
                "tokens switch it on",
                AdapterFault.Format,
                Head() + (writer => writer.Add("adapter.alora.invocation_tokens", [1]))
            },
            { "no tensors", AdapterFault.Format, Head() },
            { "A alone", AdapterFault.Format, Head() + Matrix("blk.0.attn_q.weight.lora_a", 8, 2) },
            { "B alone", AdapterFault.Format, Head() + Matrix("blk.0.attn_q.weight.lora_b", 2, 8) },
            { "another tensor", AdapterFault.Format, Pair("blk.0.attn_q.weight", 8, 2, 8) + Matrix("x.weight", 2, 8) },
            { "no name", AdapterFault.Format, Head() + Matrix(".lora_a", 8, 2) },
            { "ranks", AdapterFault.Format, Head() + Matrix("w.lora_a", 8, 2) + Matrix("w.lora_b", 3, 8) },
            { "rank 2000", AdapterFault.Format, Pair("blk.0.attn_q.weight", 8, 2000, 8) },
            { "embeddings", AdapterFault.Format, Pair("token_embd.weight", 8, 2, 3) },
            { "a vector", AdapterFault.Format, Head() + Matrix("w.lora_a", 8) + Matrix("w.lora_b", 2, 8) },
            { "other content", AdapterFault.OtherBase, Pair("blk.0.attn_q.weight", 8, 2, 8, sha256: new('c', 64)) },
            { "other architecture", AdapterFault.OtherBase, Pair("blk.0.attn_q.weight", 8, 2, 8, name: "qwen3") },
            { "other layers", AdapterFault.OtherBase, Pair("blk.2.attn_q.weight", 8, 2, 8) },
            { "other inputs", AdapterFault.OtherBase, Pair("blk.0.attn_q.weight", 9, 2, 8) },
            { "other outputs", AdapterFault.OtherBase, Pair("blk.0.attn_q.weight", 8, 2, 9) },
        };

    [Theory]
    [MemberData(nameof(Files), DisableDiscoveryEnumeration = true)]
    public void A_hostile_or_foreign_adapter_is_refused_with_its_code(
        string what,
        string code,
        Action<GgufWriter> describe
    )
    {
        var reader = Open(describe);
        var refusal = Assert.Throws<AdapterException>(() => GgufAdapter.For(reader, SmallModel.Reader(), Base));
        Assert.True(refusal.Code == code, $"{what}: {refusal.Code}, {refusal.Message}");
    }

    [Fact]
    public void What_fits_the_base_is_taken()
    {
        var facts = GgufAdapter.For(Open(Pair("blk.1.ffn_down.weight", 12, 3, 8)), SmallModel.Reader(), Base);
        Assert.Equal(new GgufAdapter("llama", Base, 60, 240), facts);
    }

    [Fact]
    public void A_model_is_no_adapter() => Assert.False(GgufAdapter.IsOne(SmallModel.Reader()));

    private static GgufReader Open(Action<GgufWriter> describe)
    {
        var writer = new GgufWriter();
        describe(writer);
        return GgufReader.Open(new MemoryStream(SmallModel.Bytes(writer.WriteTo)));
    }

    private static Action<GgufWriter> Head(
        string kind = "lora",
        float? alpha = 4,
        string? sha256 = "",
        string name = "llama"
    ) =>
        writer =>
        {
            writer.Add("general.type", "adapter");
            writer.Add("general.architecture", name);
            writer.Add("adapter.type", kind);
            if (alpha is { } number)
                writer.Add("adapter.lora.alpha", number);
            if (sha256 is not null)
                writer.Add("egpufleet.base.sha256", sha256.Length == 0 ? Base : sha256);
        };

    private static Action<GgufWriter> Matrix(string name, params long[] dimensions) =>
        writer =>
            writer.AddTensor(
                name,
                GgufTensorType.F32,
                dimensions,
                stream => stream.Write(new byte[dimensions.Aggregate(4L, (product, size) => product * size)])
            );

    private static Action<GgufWriter> Pair(
        string matrix,
        long inputs,
        long rank,
        long outputs,
        string sha256 = "",
        string name = "llama"
    ) =>
        Head(sha256: sha256, name: name)
        + Matrix(matrix + ".lora_b", rank, outputs)
        + Matrix(matrix + ".lora_a", inputs, rank);
}
