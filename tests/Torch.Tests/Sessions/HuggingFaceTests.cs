using System.Text.Json;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Quantised;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Tests.Models;

namespace EgpuFleet.Torch.Tests.Sessions;

/// <summary>The same weights as a GGUF and as a Hugging Face folder are the same model.</summary>
public sealed class HuggingFaceTests(TorchWorker worker) : IClassFixture<TorchWorker>, IDisposable
{
    private static readonly Dictionary<string, string> Modules = new(StringComparer.Ordinal)
    {
        ["attn_norm"] = "input_layernorm",
        ["ffn_norm"] = "post_attention_layernorm",
        ["attn_q_norm"] = "self_attn.q_norm",
        ["attn_k_norm"] = "self_attn.k_norm",
        ["attn_q"] = "self_attn.q_proj",
        ["attn_k"] = "self_attn.k_proj",
        ["attn_v"] = "self_attn.v_proj",
        ["attn_output"] = "self_attn.o_proj",
        ["ffn_gate"] = "mlp.gate_proj",
        ["ffn_up"] = "mlp.up_proj",
        ["ffn_down"] = "mlp.down_proj",
    };

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("eft");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public async Task Both_files_have_the_same_loss(string architecture)
    {
        var shape = new SyntheticShape(architecture) { Layers = 2 };
        using var model = new TemporaryModel(new SyntheticModel(shape));
        Convert(model.Path, shape);
        var batch = Batches.Random(2, ByteVocabulary.Size);
        var losses = new List<double>();
        foreach (var path in (string[])[model.Path, folder.FullName])
        {
            await using var session = await worker.Client.OpenTrainingAsync(Batches.Spec(path, model.Hash), Token);
            losses.Add((await session.EvaluateAsync(batch, Token)).LossSum);
        }
        Assert.Equal(losses[0], losses[1]);
    }

    [Theory]
    [InlineData("model_type", "\"mamba\"")]
    [InlineData("hidden_size", "-1")]
    [InlineData("hidden_size", "1e99")]
    [InlineData("num_attention_heads", "3")]
    [InlineData("vocab_size", "\"many\"")]
    [InlineData("rope_scaling", "{\"rope_type\":\"yarn\"}")]
    [InlineData("hidden_act", "\"gelu\"")]
    public async Task A_config_that_is_not_of_the_weights_is_refused(string field, string value)
    {
        var shape = new SyntheticShape("qwen3") { Layers = 1 };
        using var model = new TemporaryModel(new SyntheticModel(shape));
        Convert(model.Path, shape);
        var path = Path.Combine(folder.FullName, "config.json");
        var config = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(
            await File.ReadAllTextAsync(path, Token)
        )!;
        config[field] = JsonDocument.Parse(value).RootElement;
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(config), Token);
        var refused = await Assert.ThrowsAsync<EngineException>(() =>
            worker.Client.OpenTrainingAsync(Batches.Spec(folder.FullName, model.Hash), Token)
        );
        Assert.Equal(EngineErrorClass.ModelInvalid, refused.ErrorClass);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private void Convert(string path, SyntheticShape shape)
    {
        using var stream = File.OpenRead(path);
        var reader = GgufReader.Open(stream);
        var writer = new SafetensorsWriter();
        foreach (var tensor in reader.Tensors)
        {
            var (bytes, values) = (new byte[tensor.Bytes], new float[tensor.Items]);
            reader.ReadTensor(tensor, 0, bytes);
            Dequantiser.Read(tensor.Type, bytes, values);
            var isTurned = shape.Architecture == "llama" && tensor.Name.Contains(".attn_q.", StringComparison.Ordinal);
            isTurned |= shape.Architecture == "llama" && tensor.Name.Contains(".attn_k.", StringComparison.Ordinal);
            writer.Add(
                NameOf(tensor.Name),
                [.. tensor.Dimensions.Reverse()],
                isTurned ? Halves(values, shape.HeadWidth, (int)tensor.Dimensions[0]) : values
            );
        }
        writer.WriteTo(Path.Combine(folder.FullName, "model.safetensors"));
        var config = new Dictionary<string, object>
        {
            ["model_type"] = shape.Architecture,
            ["hidden_size"] = shape.Width,
            ["intermediate_size"] = shape.Hidden,
            ["num_hidden_layers"] = shape.Layers,
            ["num_attention_heads"] = shape.Heads,
            ["num_key_value_heads"] = shape.KvHeads,
            ["head_dim"] = shape.HeadWidth,
            ["vocab_size"] = ByteVocabulary.Size,
            ["max_position_embeddings"] = shape.ContextTokens,
            ["rms_norm_eps"] = 1e-6,
            ["rope_theta"] = 10_000,
        };
        File.WriteAllText(Path.Combine(folder.FullName, "config.json"), JsonSerializer.Serialize(config));
    }

    /// <summary>What llama.cpp's converter does, backwards: neighbouring rows of a head go half a head apart.</summary>
    private static float[] Halves(float[] values, int headRows, int columns)
    {
        var turned = new float[values.Length];
        for (var row = 0; row < values.Length / columns; row++)
        {
            var (head, within) = Math.DivRem(row, headRows);
            var to = (head * headRows) + (within % 2 * headRows / 2) + (within / 2);
            Array.Copy(values, row * columns, turned, to * columns, columns);
        }
        return turned;
    }

    private static string NameOf(string name)
    {
        var parts = name.Split('.');
        return parts[0] switch
        {
            "token_embd" => "model.embed_tokens.weight",
            "output_norm" => "model.norm.weight",
            "output" => "lm_head.weight",
            _ => $"model.layers.{parts[1]}.{Modules[parts[2]]}.{parts[3]}",
        };
    }
}
