using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;
using Tensors = System.Collections.Generic.Dictionary<string, (long[] Shape, float[] Values)>;

namespace EgpuFleet.Formats.Tests.Adapters;

/// <summary>States that are not what they should be are refused before anything is written; whole models come out whole.</summary>
public sealed class TrainedStateTests
{
    private const string A = "blk.1.attn_q.lora_a";

    public static TheoryData<string, string, Action<Tensors>> Adapters =>
        new()
        {
            { "one missing", AdapterFault.State, tensors => tensors.Remove(A) },
            { "one more", AdapterFault.State, tensors => tensors["blk.1.attn_v.lora_a"] = ([1], [1]) },
            { "one of the base", AdapterFault.State, tensors => tensors["blk.1.attn_q.weight"] = ([1], [1]) },
            { "another rank", AdapterFault.State, tensors => tensors[A] = ([1, 8], new float[8]) },
            { "transposed", AdapterFault.State, tensors => tensors[A] = ([8, 2], new float[16]) },
            { "no number", AdapterFault.Weight, tensors => tensors[A].Values[15] = float.NaN },
            { "infinite", AdapterFault.Weight, tensors => tensors[A].Values[0] = float.NegativeInfinity },
        };

    public static TheoryData<string, string, Action<Tensors>> Models =>
        new()
        {
            { "one missing", AdapterFault.State, tensors => tensors.Remove("output_norm.weight") },
            { "one more", AdapterFault.State, tensors => tensors["output.weight"] = ([1], [1]) },
            { "a shape", AdapterFault.State, tensors => tensors["output_norm.weight"] = ([2, 4], new float[8]) },
            { "no number", AdapterFault.Weight, tensors => tensors["output_norm.weight"].Values[1] = float.NaN },
            { "too large for F16", AdapterFault.Weight, tensors => tensors["blk.0.attn_q.weight"].Values[3] = 70_000 },
        };

    [Theory]
    [MemberData(nameof(Adapters), DisableDiscoveryEnumeration = true)]
    public void A_state_that_is_not_the_adapters_is_refused(string what, string code, Action<Tensors> change)
    {
        using var file = SmallModel.Adapter(change);
        var refusal = Assert.Throws<AdapterException>(() =>
            AdapterState.Read(file, SmallModel.Base(), SmallModel.Form)
        );
        Assert.True(refusal.Code == code, $"{what}: {refusal.Code}, {refusal.Message}");
    }

    [Theory]
    [MemberData(nameof(Models), DisableDiscoveryEnumeration = true)]
    public void A_state_that_is_not_the_models_is_refused(string what, string code, Action<Tensors> change)
    {
        using var file = SmallModel.Retrained(change);
        var refusal = Assert.Throws<AdapterException>(() =>
            RetrainedModel.Describe(SmallModel.Reader(), SmallModel.Sha256, file, half: true)
        );
        Assert.True(refusal.Code == code, $"{what}: {refusal.Code}, {refusal.Message}");
    }

    [Fact]
    public void A_state_of_another_base_is_refused()
    {
        using var file = SmallModel.Adapter();
        var other = SmallModel.Base() with { Sha256 = new string('c', 64) };
        Assert.Equal(
            AdapterFault.OtherBase,
            Assert.Throws<AdapterException>(() => AdapterState.Read(file, other, SmallModel.Form)).Code
        );
        using var nameless = SmallModel.State([], sha256: null);
        Assert.Equal(
            AdapterFault.State,
            Assert.Throws<AdapterException>(() => AdapterState.Read(nameless, other, SmallModel.Form)).Code
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_retrained_model_has_the_bases_metadata_and_the_states_weights(bool half)
    {
        using var state = SmallModel.Retrained();
        var model = SmallModel.Reader();
        var bytes = SmallModel.Bytes(RetrainedModel.Describe(model, SmallModel.Sha256, state, half).WriteTo);
        var made = GgufReader.Open(new MemoryStream(bytes));

        Assert.Equal(half ? "F16" : "F32", GgufModelFacts.From(made).FileType);
        Assert.Equal(["a", "b", "c"], made.ReadTexts(made.Metadata.Array("tokenizer.ggml.tokens")!));
        Assert.Equal([0f, -1f, -2f], made.ReadSingles(made.Metadata.Array("tokenizer.ggml.scores")!));
        Assert.Equal(
            model.Metadata.Keys.Except(["general.quantization_version"]).Order(StringComparer.Ordinal),
            made.Metadata.Keys.Order(StringComparer.Ordinal)
        );
        Assert.Equal(model.Tensors.Select(tensor => tensor.Name), made.Tensors.Select(tensor => tensor.Name));
        foreach (var tensor in made.Tensors.Where(tensor => tensor.Name != "rope_freqs.weight"))
        {
            var isHalf = half && tensor.Dimensions.Count > 1;
            Assert.Equal(isHalf ? GgufTensorType.F16 : GgufTensorType.F32, tensor.Type);
            var values = state.ReadSingles(state.Find(tensor.Name)!);
            Assert.Equal(isHalf ? values.Select(value => (float)(Half)value) : values, Numbers(made, tensor));
        }
        var settings = new byte[8];
        made.ReadTensor(made.Tensors.Single(tensor => tensor.Name == "rope_freqs.weight"), 0, settings);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], settings);
        Assert.Equal(bytes, SmallModel.Bytes(RetrainedModel.Describe(model, SmallModel.Sha256, state, half).WriteTo));
    }

    private static IEnumerable<float> Numbers(GgufReader reader, GgufTensor tensor)
    {
        var bytes = new byte[tensor.Bytes];
        reader.ReadTensor(tensor, 0, bytes);
        var width = tensor.Type.BlockBytes;
        return bytes
            .Chunk(width)
            .Select(one => width == 2 ? (float)BitConverter.ToHalf(one) : BitConverter.ToSingle(one));
    }
}
