using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Formats.Tests.Adapters;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.TestKit;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>A checkpoint of a run becomes a model that answers by its name, and files for other tools.</summary>
[Collection(OnCheckpointFleet.Name)]
public sealed class TrainedModelTests(CheckpointFleet fleet)
{
    private const string BaseName = "tiny-of-runs";
    private const long Seed = 1;

    private static readonly byte[] Model = File.ReadAllBytes(
        RepositoryPaths.At("samples", "models", "tiny-fleet.gguf")
    );

    private static readonly ModelRef Base = new(
        BaseName,
        Convert.ToHexStringLower(SHA256.HashData(Model)),
        Model.Length
    );

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_adapter_answers_by_its_name_and_its_step()
    {
        var (lease, saved) = await TrainAsync("ft:tiny:default:story:1", AdapterState(spread: 0.05f));

        var published = await ResultAsync(lease, saved.Id);
        var again = await ResultAsync(lease, saved.Id);
        Assert.Equal(published, again);
        Assert.Equal("ft:tiny:default:story:1", published.Model);
        var served = await fleet.Client.ServeCheckpointAsync(saved.Id, Token);
        Assert.Equal(
            ("ft:tiny:default:story:1:ckpt-step-7", published.Sha256, BaseName),
            (served.Name, served.Sha256, served.Base)
        );
        Assert.Contains(
            published.Model,
            await fleet.Http.GetStringAsync("/v1/models", Token),
            StringComparison.Ordinal
        );

        var (ours, theirs) = (await CompleteAsync(published.Model), await CompleteAsync(BaseName));
        Assert.NotEqual(theirs, ours);
        Assert.Equal(ours, await CompleteAsync(served.Name));
        Assert.Equal(theirs, await CompleteAsync(BaseName));
    }

    [Fact]
    public async Task An_adapter_of_which_only_B_was_trained_has_the_A_it_began_with()
    {
        NamedBuffer[] whole =
        [
            .. AdapterState(spread: 0.05f)
                .Select(one =>
                    one.Name.EndsWith(".lora_a", StringComparison.Ordinal) ? one with { Data = Start(one) } : one
                ),
        ];
        var half = whole.Where(one => !one.Name.EndsWith(".lora_a", StringComparison.Ordinal)).ToArray();
        var (lease, saved) = await TrainAsync("ft:tiny:default:frozen:5", half, frozenA: true);
        var published = await ResultAsync(lease, saved.Id);
        var (other, savedWhole) = await TrainAsync("ft:tiny:default:free:6", whole);
        Assert.Equal((await ResultAsync(other, savedWhole.Id)).Sha256, published.Sha256);
        Assert.Equal(
            await ExportAsync(savedWhole.Id, "peft", "adapter_model.safetensors"),
            await ExportAsync(saved.Id, "peft", "adapter_model.safetensors")
        );

        static byte[] Start(NamedBuffer a) =>
            MemoryMarshal.AsBytes(AdapterStart.Of(Seed, a.Name, (int)a.Shape[0], (int)a.Shape[1]).AsSpan()).ToArray();
    }

    [Fact]
    public async Task A_whole_model_answers_by_its_name()
    {
        var (lease, saved) = await TrainAsync("ft:tiny:default:whole:2", WholeState(), adapter: false);
        var published = await ResultAsync(lease, saved.Id);
        var info = (await fleet.Client.ListModelsAsync(Token)).Data.Single(model => model.Name == published.Model);
        Assert.Null(info.Base);
        // The state has the base's weights, which are half floats: the file says the same.
        Assert.Equal(await CompleteAsync(BaseName), await CompleteAsync(published.Model));
    }

    [Fact]
    public async Task Exports_are_what_their_tools_read()
    {
        var (lease, saved) = await TrainAsync("ft:tiny:default:export:3", AdapterState(spread: 0.05f));
        var published = await ResultAsync(lease, saved.Id);
        var gguf = await ExportAsync(saved.Id, "gguf", "model.gguf");
        Assert.Equal(published.Sha256, Convert.ToHexStringLower(SHA256.HashData(gguf)));

        using var peft = SafetensorsFile.Open(
            new MemoryStream(await ExportAsync(saved.Id, "peft", "adapter_model.safetensors"))
        );
        Assert.Equal([4, 256], peft.Find("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight")!.Shape);
        using var mlx = SafetensorsFile.Open(
            new MemoryStream(await ExportAsync(saved.Id, "mlx", "adapters.safetensors"))
        );
        Assert.Equal([256, 4], mlx.Find("model.layers.5.mlp.gate_proj.lora_a")!.Shape);
        var config = JsonSerializer.Deserialize<JsonElement>(await ExportAsync(saved.Id, "mlx", "adapter_config.json"));
        Assert.Equal(2, config.GetProperty("lora_parameters").GetProperty("scale").GetDouble());
        var missing = await Assert.ThrowsAsync<FleetApiException>(() => ExportAsync(saved.Id, "mlx", "x"));
        Assert.Equal(HttpStatusCode.NotFound, missing.Status);
    }

    [Fact]
    public async Task What_is_not_whole_or_not_ones_own_is_not_served()
    {
        const string Name = "ft:tiny:default:bad:4";
        var (lease, saved) = await TrainAsync(Name, AdapterState(spread: float.NaN));
        var (other, _) = await TrainAsync(Name, AdapterState(spread: 0.05f));
        await RefusedAsync(lease, saved.Id, HttpStatusCode.UnprocessableEntity, "adapter_weight");
        await RefusedAsync(other, saved.Id, HttpStatusCode.UnprocessableEntity, "invalid_request");
        await RefusedAsync(lease with { Epoch = 2 }, saved.Id, HttpStatusCode.Conflict, "fenced");
        await RefusedAsync(
            lease,
            CheckpointId.New(DateTimeOffset.UnixEpoch).ToString(),
            HttpStatusCode.NotFound,
            "not_found"
        );
        Assert.DoesNotContain((await fleet.Client.ListModelsAsync(Token)).Data, model => model.Name == Name);
    }

    private static NamedBuffer[] AdapterState(float spread) =>
        Buffers(AdapterBytes.State(AdapterBase.From(GgufReader.Open(new MemoryStream(Model)), Base.Sha256), spread));

    /// <summary>The base's own weights as 32-bit floats.</summary>
    private static NamedBuffer[] WholeState()
    {
        var reader = GgufReader.Open(new MemoryStream(Model));
        return
        [
            .. reader.Tensors.Select(tensor =>
            {
                var bytes = new byte[tensor.Bytes];
                reader.ReadTensor(tensor, 0, bytes);
                var values = tensor.Type == GgufTensorType.F32 ? bytes : Widened(bytes);
                return new NamedBuffer(tensor.Name, ElementType.F32, [.. tensor.Dimensions.Reverse()], values);
            }),
        ];
    }

    private static byte[] Widened(byte[] halves) =>
        MemoryMarshal
            .AsBytes(MemoryMarshal.Cast<byte, Half>(halves).ToArray().Select(half => (float)half).ToArray().AsSpan())
            .ToArray();

    private static NamedBuffer[] Buffers(byte[] state)
    {
        using var file = SafetensorsFile.Open(new MemoryStream(state));
        return
        [
            .. file.Tensors.Select(tensor =>
            {
                var data = new byte[tensor.Bytes];
                file.Read(tensor, 0, data);
                return new NamedBuffer(tensor.Name, ElementType.F32, tensor.Shape, data);
            }),
            new NamedBuffer("adam.m.x", ElementType.F32, [1], new byte[4]),
        ];
    }

    private async Task<(TrainingLease Lease, SavedCheckpoint Saved)> TrainAsync(
        string name,
        NamedBuffer[] state,
        bool adapter = true,
        bool frozenA = false
    )
    {
        await fleet.Client.AddModelAsync(BaseName, new MemoryStream(Model), Token);
        var form = AdapterBytes.Form;
        var train = new TrainParameters(
            adapter ? TrainingMethod.Lora : TrainingMethod.Full,
            adapter ? new AdapterParameters(form.Rank, form.Alpha, [.. form.Targets], frozenA) : null,
            new TrainingFile("file-1", Base.Sha256, 1),
            null,
            1,
            0,
            1,
            64,
            new OptimizerParameters(1e-3, 0, RateSchedule.Constant, 0, 1),
            Seed,
            name
        );
        var lease = await fleet.LeaseAsync(Base, train, Token);
        var saved = await fleet.Checkpoints.SaveAsync(lease, new TrainingState(7, null, state), Token);
        return (lease, saved);
    }

    private async Task<TrainingPublished> ResultAsync(TrainingLease lease, string checkpoint)
    {
        using var response = await PostAsync(lease, checkpoint);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        return (await response.Content.ReadFromJsonAsync<TrainingPublished>(TrainingJson.Options, Token))!;
    }

    private async Task RefusedAsync(TrainingLease lease, string checkpoint, HttpStatusCode status, string code)
    {
        using var response = await PostAsync(lease, checkpoint);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.StatusCode == status, text);
        Assert.Contains(code, text, StringComparison.Ordinal);
    }

    private Task<HttpResponseMessage> PostAsync(TrainingLease lease, string checkpoint) =>
        fleet.Http.PostAsJsonAsync(
            InternalRoutes.TrainingResult,
            new TrainingResult(lease.Shard.Job.ToString(), lease.Shard.Number, lease.Epoch, checkpoint),
            TrainingJson.Options,
            Token
        );

    private async Task<byte[]> ExportAsync(string id, string format, string file)
    {
        using var stream = new MemoryStream();
        await fleet.Client.ExportCheckpointAsync(id, format, file, stream, Token);
        return stream.ToArray();
    }

    private async Task<string> CompleteAsync(string model)
    {
        using var response = await fleet.Http.PostAsJsonAsync(
            "/v1/completions",
            new
            {
                model,
                prompt = "The river",
                max_tokens = 24,
                temperature = 0,
            },
            Token
        );
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize<JsonElement>(text).GetProperty("choices")[0].GetProperty("text").GetString()!;
    }
}
