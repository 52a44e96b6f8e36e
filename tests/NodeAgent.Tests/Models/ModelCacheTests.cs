using System.Security.Cryptography;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgpuFleet.NodeAgent.Tests.Models;

public sealed class ModelCacheTests : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private readonly byte[] model = TinyGguf.Bytes();
    private TestGateway gateway = null!;
    private ServiceProvider services = null!;
    private NodeCredential credential = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.StartAsync();
        credential = NodeCredential.ReadOrCreate(folder.At("node.credential"));
        services = new ServiceCollection().AddGatewayHttp([gateway.Url], credential).BuildServiceProvider();
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await gateway.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Fetches_once_with_the_credential_and_keeps_the_file()
    {
        var authorization = "";
        gateway.Answer = context =>
        {
            authorization = context.Request.Headers.Authorization.ToString();
            return context.Response.Body.WriteAsync(model).AsTask();
        };
        using var cache = Cache();
        var asked = Enumerable.Range(0, 8).Select(_ => cache.GetAsync(Ref(model), Token)).ToList();
        await Task.WhenAll(asked);
        Assert.Equal($"Bearer {credential.Value}", authorization);
        Assert.Equal([""], gateway.Ranges);
        Assert.Equal(model, await File.ReadAllBytesAsync((await asked[0]).Path, Token));

        using var later = Cache();
        await later.GetAsync(Ref(model), Token);
        Assert.Single(gateway.Ranges);
        Assert.Empty(Directory.GetFiles(folder.At("models"), "*.part"));
    }

    [Fact]
    public async Task A_body_that_ends_early_is_resumed_where_it_ended()
    {
        var half = model.Length / 2;
        gateway.Answer = async context =>
        {
            if (gateway.Ranges.Count > 1)
            {
                await Results.Bytes(model, enableRangeProcessing: true).ExecuteAsync(context);
                return;
            }
            // Ends early and says nothing of its length.
            await context.Response.Body.WriteAsync(model.AsMemory(0, half));
        };
        using var cache = Cache();
        var cached = await cache.GetAsync(Ref(model), Token);
        Assert.Equal(model, await File.ReadAllBytesAsync(cached.Path, Token));
        Assert.Equal(2, gateway.Ranges.Count);
        Assert.Equal($"bytes={half}-", gateway.Ranges[1]);
    }

    [Fact]
    public async Task A_server_without_ranges_sends_the_whole_file_again()
    {
        await File.WriteAllBytesAsync(Part(model), model[..100], Token);
        gateway.Answer = context => context.Response.Body.WriteAsync(model).AsTask();
        using var cache = Cache();
        var cached = await cache.GetAsync(Ref(model), Token);
        Assert.Equal(["bytes=100-"], gateway.Ranges);
        Assert.Equal(model, await File.ReadAllBytesAsync(cached.Path, Token));
    }

    [Fact]
    public async Task Other_content_of_the_right_size_is_refused_and_not_kept()
    {
        var other = model.ToArray();
        other[^1] ^= 1;
        gateway.Answer = context => context.Response.Body.WriteAsync(other).AsTask();
        Assert.Equal("model_corrupt", (await FailsAsync(Ref(model))).Code);

        gateway.Answer = context => context.Response.Body.WriteAsync(model).AsTask();
        using var cache = Cache();
        await cache.GetAsync(Ref(model), Token);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_file_of_another_size_is_refused_before_it_is_read(int difference)
    {
        gateway.Answer = async context =>
        {
            context.Response.ContentLength = model.Length + difference;
            await context.Response.Body.WriteAsync(new byte[model.Length + difference]);
        };
        Assert.Equal("model_corrupt", (await FailsAsync(Ref(model))).Code);
        Assert.Single(gateway.Ranges);
    }

    [Fact]
    public async Task A_body_without_end_is_cut_at_the_registered_size()
    {
        gateway.Answer = async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(new byte[64 * 1024], context.RequestAborted);
        };
        Assert.Equal("model_corrupt", (await FailsAsync(Ref(model))).Code);
        Assert.All(
            Directory.GetFiles(folder.At("models")),
            file => Assert.True(new FileInfo(file).Length <= model.Length)
        );
    }

    [Theory]
    [InlineData(401, "node_not_enrolled")]
    [InlineData(403, "node_not_enrolled")]
    [InlineData(404, "model_not_found")]
    [InlineData(400, "model_unavailable")]
    public async Task A_refusal_has_its_own_code_and_is_worth_another_node(int status, string code)
    {
        gateway.Answer = context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        };
        var failure = await FailsAsync(Ref(model));
        Assert.Equal(code, failure.Code);
        Assert.True(failure.Retryable);
    }

    [Fact]
    public async Task A_hostile_model_is_refused_for_good_and_removed()
    {
        // Announces more tensors than any file of its length can hold.
        var hostile = model.ToArray();
        BitConverter.TryWriteBytes(hostile.AsSpan(8), long.MaxValue);
        gateway.Answer = context => context.Response.Body.WriteAsync(hostile).AsTask();
        var failure = await FailsAsync(Ref(hostile));
        Assert.Equal("model_invalid", failure.Code);
        Assert.False(failure.Retryable);
        Assert.Empty(Directory.GetFiles(folder.At("models")));
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("")]
    [InlineData("ABCDEF")]
    public async Task A_hash_that_is_none_never_reaches_the_disk_or_the_network(string hash)
    {
        Assert.Equal("model_invalid", (await FailsAsync(new ModelRef("m", hash, 10))).Code);
        Assert.Empty(gateway.Ranges);
    }

    [Fact]
    public async Task The_least_recently_used_file_makes_room_unless_a_worker_has_it()
    {
        var models = Enumerable.Range(0, 3).Select(TinyGguf.Bytes).ToList();
        gateway.Answer = context =>
            context
                .Response.Body.WriteAsync(
                    models.Single(bytes => Hash(bytes) == (string)context.Request.RouteValues["sha256"]!)
                )
                .AsTask();
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var shelf = new ModelShelf(folder.At("models"), 2 * model.Length, time);
        using var cache = new ModelCache(Downloads, shelf, NullLogger<ModelCache>.Instance);
        var files = new List<string>();
        shelf.Hold(Hash(models[0]));
        foreach (var bytes in models)
        {
            files.Add((await cache.GetAsync(Ref(bytes), Token)).Path);
            time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Equal([true, false, true], files.Select(File.Exists));
        shelf.Hold(Hash(models[2]));
        Assert.Equal(
            "disk_full",
            (await Assert.ThrowsAsync<GenerationException>(() => cache.GetAsync(Ref(models[1]), Token))).Code
        );
    }

    private GatewayDownloads Downloads =>
        new(
            services.GetRequiredService<IHttpClientFactory>(),
            TimeProvider.System,
            NullLogger<GatewayDownloads>.Instance
        );

    private ModelCache Cache() =>
        new(
            Downloads,
            new ModelShelf(folder.At("models"), long.MaxValue, TimeProvider.System),
            NullLogger<ModelCache>.Instance
        );

    private string Part(byte[] bytes)
    {
        DataFolder.CreatePrivate(folder.At("models"));
        return folder.At("models", $"{Hash(bytes)}.part");
    }

    private async Task<GenerationException> FailsAsync(ModelRef of)
    {
        using var cache = Cache();
        return await Assert.ThrowsAsync<GenerationException>(() => cache.GetAsync(of, Token));
    }

    private static ModelRef Ref(byte[] bytes) => new("tiny", Hash(bytes), bytes.Length);

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
