using System.Text;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.NodeAgent.Tests.Support;

namespace EgpuFleet.NodeAgent.Tests.Devices;

/// <summary>Interactive generations and the loading of models, on a real worker process.</summary>
public sealed class LocalDeviceTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Streams_the_golden_text_beside_a_running_shard()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(200), maxTokens: 400));
        await rig.Reports.NextAsync();

        var text = new StringBuilder();
        var chunks = new List<TokenChunk>();
        await foreach (var chunk in rig.Device.GenerateAsync(Request(Stories.Bytes(), maxTokens: 199), Token))
        {
            text.Append(chunk.Text);
            chunks.Add(chunk);
        }
        Assert.StartsWith(Stories.Opening, text.ToString(), StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, chunks.Count), chunks.Select(chunk => chunk.Index));
        Assert.All(chunks.SkipLast(1), chunk => Assert.Null(chunk.FinishReason));
        Assert.Equal("length", chunks[^1].FinishReason);
        Assert.Equal(199, chunks[^1].CompletionTokens);
    }

    [Fact]
    public async Task Leaving_the_stream_ends_the_generation_in_the_worker()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        await foreach (var _ in rig.Device.GenerateAsync(Request(Stories.Bytes(), maxTokens: 500), Token))
            break;
        Assert.Equal(0, rig.Device.Status().ActiveSequences);
    }

    [Theory]
    [InlineData(true, "model_has_no_chat_template")]
    [InlineData(false, "context_length_exceeded")]
    public async Task A_request_that_cannot_be_served_says_why_in_its_code(bool chat, string code)
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        var request = Request(Stories.Bytes(), maxTokens: 4) with
        {
            Prompt = chat ? null : string.Concat(Enumerable.Repeat("Once upon a time ", 400)),
            Messages = chat ? [new ChatMessage("user", "hello")] : null,
        };
        var failure = await Assert.ThrowsAsync<GenerationException>(() => TextAsync(rig, request));
        Assert.Equal(code, failure.Code);
        Assert.False(failure.Retryable);
    }

    [Fact]
    public async Task A_dying_worker_ends_the_stream_as_worth_another_try()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        var failure = await Assert.ThrowsAsync<GenerationException>(async () =>
        {
            await foreach (var _ in rig.Device.GenerateAsync(Request(Stories.Bytes(), maxTokens: null), Token))
                rig.KillWorker();
        });
        Assert.Equal("worker_lost", failure.Code);
        Assert.True(failure.Retryable);
    }

    [Fact]
    public async Task After_a_sleep_a_stream_ends_before_another_token_leaves()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        var chunks = 0;
        var failure = await Assert.ThrowsAsync<GenerationException>(async () =>
        {
            await foreach (var _ in rig.Device.GenerateAsync(Request(Stories.Bytes(), maxTokens: 500), Token))
            {
                chunks++;
                rig.Clock.Now += TimeSpan.FromSeconds(5);
            }
        });
        Assert.Equal("node_slept", failure.Code);
        Assert.True(failure.Retryable);
        Assert.Equal(1, chunks);
        Assert.NotEmpty(await TextAsync(rig, Request(Stories.Bytes(), maxTokens: 4)));
    }

    [Fact]
    public async Task The_least_recently_used_model_makes_room_and_one_in_use_does_not()
    {
        Stories.Require();
        byte[][] models = [Stories.Bytes(), Stories.Bytes(1), Stories.Bytes(2)];
        const long RoomForTwo = 2 * (170L << 20);
        await using var rig = await DeviceRig.StartAsync(RoomForTwo, models);
        var hashes = models.Select(model => Stories.Record(model).Ref.Sha256).ToList();
        foreach (var model in models)
            await TextAsync(rig, Request(model, maxTokens: 2));
        Assert.Equal(hashes[1..].Order(), rig.Device.Status().LoadedModels.Order());
        Assert.InRange(rig.Device.Status().MemoryUsedBytes, 1, RoomForTwo);

        var failures = new List<GenerationException>();
        await foreach (var _ in rig.Device.GenerateAsync(Request(models[1], maxTokens: 500), Token))
        {
            await foreach (var __ in rig.Device.GenerateAsync(Request(models[2], maxTokens: 500), Token))
            {
                failures.Add(
                    await Assert.ThrowsAsync<GenerationException>(() =>
                        TextAsync(rig, Request(models[0], maxTokens: 2))
                    )
                );
                break;
            }
            break;
        }
        Assert.Equal("out_of_memory", failures.Single().Code);
        Assert.True(failures.Single().Retryable);
    }

    [Fact]
    public async Task A_model_beyond_the_devices_memory_is_refused()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync(memoryBytes: 1 << 20);
        var failure = await Assert.ThrowsAsync<GenerationException>(() => TextAsync(rig, Request(Stories.Bytes(), 1)));
        Assert.Equal("model_too_large", failure.Code);
    }

    private static GenerateRequest Request(byte[] model, int? maxTokens) =>
        new("request-1", Stories.Record(model).Ref, new(maxTokens, 0, 1, 0, 1, []), "", null, null);

    private static async Task<string> TextAsync(DeviceRig rig, GenerateRequest request)
    {
        var text = new StringBuilder();
        await foreach (var chunk in rig.Device.GenerateAsync(request, Token))
            text.Append(chunk.Text);
        return text.ToString();
    }
}
