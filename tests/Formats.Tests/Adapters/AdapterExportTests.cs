using System.Text.Json;
using EgpuFleet.Formats.Tests.Safetensors;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Formats.Tests.Adapters;

public sealed class AdapterExportTests
{
    private const string Query = "model.layers.1.self_attn.q_proj";

    [Theory]
    [InlineData("llama", "attn_q", 8)]
    [InlineData("llama", "attn_k", 4)]
    [InlineData("qwen2", "attn_q", 8)]
    [InlineData("qwen3", "attn_k", 4)]
    [InlineData("llama", "ffn_down", 8)]
    public void The_product_of_an_exported_pair_is_what_a_converter_would_turn_into_ours(
        string architecture,
        string target,
        int outputs
    )
    {
        using var file = SmallModel.Adapter();
        var state = AdapterState.Read(file, SmallModel.Base(architecture), SmallModel.Form);
        using var peft = Written(PeftAdapter.Weights(state));
        var inputs = target == "ffn_down" ? 12 : 8;
        var name = $"base_model.model.model.layers.1.{AdapterModules.All.First(one => one.Gguf == target).Module}";

        var ours = Product(file, $"blk.1.{target}.lora_b", $"blk.1.{target}.lora_a", outputs, inputs);
        var theirs = Product(peft, $"{name}.lora_B.weight", $"{name}.lora_A.weight", outputs, inputs);

        var isTurned = architecture == "llama" && target != "ffn_down";
        Assert.Equal(ours, isTurned ? AsConverted(theirs, outputs / SmallModel.HeadSize, inputs) : theirs);
        Assert.Equal(isTurned, !ours.SequenceEqual(theirs));
    }

    [Fact]
    public async Task Another_reader_finds_the_names_and_shapes_of_PEFT()
    {
        using var folder = new TemporaryFolder();
        using var file = SmallModel.Adapter();
        var path = folder.At(PeftAdapter.WeightsName);
        PeftAdapter.Weights(Read(file)).WriteTo(path);

        var read = await IndependentReader.ReadAsync(path, TestContext.Current.CancellationToken);

        string[] modules = ["self_attn.q_proj", "self_attn.k_proj", "mlp.down_proj"];
        Assert.Equal(
            from layer in new[] { 0, 1 }
            from module in modules
            from part in "AB"
            select $"base_model.model.model.layers.{layer}.{module}.lora_{part}.weight",
            read.GetProperty("tensors").EnumerateObject().Select(tensor => tensor.Name)
        );
        Assert.Equal([2, 8], Shape(read, $"base_model.model.{Query}.lora_A.weight"));
        Assert.Equal([8, 2], Shape(read, $"base_model.model.{Query}.lora_B.weight"));
        Assert.Equal("pt", read.GetProperty("metadata").GetProperty("format").GetString());
    }

    [Fact]
    public void Matrices_of_mlx_are_those_of_PEFT_transposed()
    {
        using var file = SmallModel.Adapter();
        using var peft = Written(PeftAdapter.Weights(Read(file)));
        using var mlx = Written(MlxAdapter.Weights(Read(file)));
        foreach (var tensor in peft.Tensors)
        {
            var name = tensor
                .Name["base_model.model.".Length..^".weight".Length]
                .Replace(".lora_A", ".lora_a")
                .Replace(".lora_B", ".lora_b");
            var turned = mlx.Find(name)!;
            Assert.Equal(tensor.Shape.Reverse(), turned.Shape);
            var (values, others) = (peft.ReadSingles(tensor), mlx.ReadSingles(turned));
            var (rows, columns) = ((int)tensor.Shape[0], (int)tensor.Shape[1]);
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++)
                    Assert.Equal(values[(row * columns) + column], others[(column * rows) + row]);
            }
        }
        Assert.Equal(peft.Tensors.Count, mlx.Tensors.Count);
    }

    [Fact]
    public void Configurations_say_what_their_readers_ask_for()
    {
        var peft = Parsed(PeftAdapter.Config(SmallModel.Form, "tiny"));
        Assert.Equal("LORA", peft.GetProperty("peft_type").GetString());
        Assert.Equal("CAUSAL_LM", peft.GetProperty("task_type").GetString());
        Assert.Equal("tiny", peft.GetProperty("base_model_name_or_path").GetString());
        Assert.Equal(2, peft.GetProperty("r").GetInt32());
        Assert.Equal(6, peft.GetProperty("lora_alpha").GetInt32());
        Assert.Equal(["q_proj", "k_proj", "down_proj"], Texts(peft.GetProperty("target_modules")));

        var mlx = Parsed(MlxAdapter.Config(SmallModel.Form, SmallModel.Layers, "tiny"));
        Assert.Equal("lora", mlx.GetProperty("fine_tune_type").GetString());
        Assert.Equal(2, mlx.GetProperty("num_layers").GetInt32());
        var parameters = mlx.GetProperty("lora_parameters");
        Assert.Equal(2, parameters.GetProperty("rank").GetInt32());
        Assert.Equal(3.0, parameters.GetProperty("scale").GetDouble());
        Assert.Equal(["self_attn.q_proj", "self_attn.k_proj", "mlp.down_proj"], Texts(parameters.GetProperty("keys")));
    }

    [Fact]
    public void The_GGUF_holds_the_trained_numbers_and_names_its_base()
    {
        using var file = SmallModel.Adapter();
        var reader = GgufReader.Open(new MemoryStream(SmallModel.Bytes(GgufAdapter.Describe(Read(file)).WriteTo)));
        Assert.True(GgufAdapter.IsOne(reader));
        Assert.Equal("lora", reader.Metadata.Text("adapter.type"));
        Assert.True(reader.Metadata.TryGet("adapter.lora.alpha", out var alpha) && alpha is 6.0);
        var facts = GgufAdapter.For(reader, SmallModel.Reader(), SmallModel.Sha256);
        Assert.Equal(SmallModel.Sha256, facts.BaseSha256);
        Assert.Equal(facts.Parameters * 4, facts.Bytes);
        Assert.Equal(12, reader.Tensors.Count);
        foreach (var tensor in reader.Tensors)
        {
            var trained = file.Find(tensor.Name.Replace(".weight.", ".", StringComparison.Ordinal))!;
            Assert.Equal(trained.Shape.Reverse(), tensor.Dimensions);
            var (ours, theirs) = (new byte[trained.Bytes], new byte[tensor.Bytes]);
            file.Read(trained, 0, ours);
            reader.ReadTensor(tensor, 0, theirs);
            Assert.Equal(ours, theirs);
        }
    }

    [Fact]
    public void The_same_state_gives_the_same_bytes()
    {
        using var one = SmallModel.Adapter();
        using var other = SmallModel.Adapter();
        Assert.Equal(Everything(Read(one)), Everything(Read(other)));
    }

    /// <summary>The state has B alone; what it was trained with is a function of the run's seed.</summary>
    [Fact]
    public void A_frozen_A_is_exported_as_it_began()
    {
        const long Seed = 77;
        using var frozen = SmallModel.Adapter(tensors =>
        {
            foreach (
                var name in tensors.Keys.Where(name => name.EndsWith(".lora_a", StringComparison.Ordinal)).ToList()
            )
                tensors.Remove(name);
        });
        using var whole = SmallModel.Adapter(tensors =>
        {
            foreach (
                var (name, (shape, _)) in tensors.Where(one => one.Key.StartsWith("blk", StringComparison.Ordinal))
            )
            {
                if (name.EndsWith(".lora_a", StringComparison.Ordinal))
                    tensors[name] = (shape, AdapterStart.Of(Seed, name, (int)shape[0], (int)shape[1]));
            }
        });
        var state = AdapterState.Read(frozen, SmallModel.Base(), SmallModel.Form with { FrozenSeed = Seed });
        Assert.Equal(Everything(Read(whole)), Everything(state));
        Assert.Equal(
            AdapterFault.State,
            Assert.Throws<AdapterException>(() => AdapterState.Read(frozen, SmallModel.Base(), SmallModel.Form)).Code
        );
        Assert.Equal(
            AdapterFault.State,
            Assert
                .Throws<AdapterException>(() =>
                    AdapterState.Read(whole, SmallModel.Base(), SmallModel.Form with { FrozenSeed = Seed })
                )
                .Code
        );
    }

    [Fact]
    public void An_architecture_whose_layout_is_not_known_is_not_exported_to_others()
    {
        using var file = SmallModel.Adapter();
        var state = AdapterState.Read(file, SmallModel.Base("gemma3"), SmallModel.Form);
        Assert.Equal(AdapterFault.Architecture, Assert.Throws<AdapterException>(() => PeftAdapter.Weights(state)).Code);
        Assert.Equal(AdapterFault.Architecture, Assert.Throws<AdapterException>(() => MlxAdapter.Weights(state)).Code);
        Assert.NotEmpty(SmallModel.Bytes(GgufAdapter.Describe(state).WriteTo));
    }

    private static byte[][] Everything(AdapterState state) =>
        [
            SmallModel.Bytes(PeftAdapter.Weights(state).WriteTo),
            SmallModel.Bytes(MlxAdapter.Weights(state).WriteTo),
            SmallModel.Bytes(GgufAdapter.Describe(state).WriteTo),
            PeftAdapter.Config(state.Form, "b"),
            MlxAdapter.Config(state.Form, state.Base.Layers, "b"),
        ];

    private static AdapterState Read(SafetensorsFile file) =>
        AdapterState.Read(file, SmallModel.Base(), SmallModel.Form);

    private static SafetensorsFile Written(SafetensorsWriter writer) =>
        SafetensorsFile.Open(new MemoryStream(SmallModel.Bytes(writer.WriteTo)));

    private static float[] Product(SafetensorsFile file, string b, string a, int outputs, int inputs)
    {
        var (left, right) = (file.ReadSingles(file.Find(b)!), file.ReadSingles(file.Find(a)!));
        var rank = SmallModel.Form.Rank;
        var product = new float[outputs * inputs];
        for (var row = 0; row < outputs; row++)
        {
            for (var column = 0; column < inputs; column++)
            {
                for (var i = 0; i < rank; i++)
                    product[(row * inputs) + column] += left[(row * rank) + i] * right[(i * inputs) + column];
            }
        }
        return product;
    }

    /// <summary>What converters to GGUF do to queries and keys: [heads, 2, half, inputs] with the middle two exchanged.</summary>
    private static float[] AsConverted(float[] values, int heads, int inputs)
    {
        var half = values.Length / heads / 2 / inputs;
        var turned = new float[values.Length];
        for (var head = 0; head < heads; head++)
        {
            for (var part = 0; part < 2; part++)
            {
                for (var i = 0; i < half; i++)
                {
                    var from = (((head * 2) + part) * half) + i;
                    var to = (((head * half) + i) * 2) + part;
                    Array.Copy(values, from * inputs, turned, to * inputs, inputs);
                }
            }
        }
        return turned;
    }

    private static JsonElement Parsed(byte[] json) => JsonSerializer.Deserialize<JsonElement>(json);

    private static IEnumerable<string?> Texts(JsonElement list) => list.EnumerateArray().Select(one => one.GetString());

    private static IEnumerable<int> Shape(JsonElement read, string name) =>
        read.GetProperty("tensors")
            .GetProperty(name)
            .GetProperty("shape")
            .EnumerateArray()
            .Select(one => one.GetInt32());
}
