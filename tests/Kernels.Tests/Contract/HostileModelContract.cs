using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Contract;

/// <summary>Broken files: a typed error each, and the worker goes on.</summary>
public abstract class HostileModelContract(StoriesWorker stories) : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("efg");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private WorkerClient Client => stories.Client;

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(1000)]
    [InlineData(20_000)]
    [InlineData(1_000_000)]
    public async Task A_truncated_file_is_no_model(int bytes)
    {
        var whole = await File.ReadAllBytesAsync(Stories.ModelPath, Token);
        await RefusedAsync(whole[..bytes]);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(24)]
    public async Task Absurd_counts_are_no_model(int offset)
    {
        var bytes = await File.ReadAllBytesAsync(Stories.ModelPath, Token);
        bytes.AsSpan(offset, 8).Fill(0xFF);
        await RefusedAsync(bytes);
    }

    /// <summary>The table is sound, but the weights do not fit the hyperparameters: only the engine can see it.</summary>
    [Fact]
    public async Task Hyperparameters_that_the_weights_contradict_are_no_model()
    {
        var bytes = await File.ReadAllBytesAsync(Stories.ModelPath, Token);
        var at = bytes.AsSpan().IndexOf("llama.feed_forward_length"u8) + "llama.feed_forward_length".Length + 4;
        Assert.Equal(172, bytes[at]);
        bytes[at] = 173;
        await RefusedAsync(bytes);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_refused()
    {
        var spec = new LoadSpec(Path.Combine(folder.FullName, "none.gguf"), new string('0', 64), Threads: 1);
        var exception = await Assert.ThrowsAsync<EngineException>(() => Client.LoadAsync(spec, Token));
        Assert.Equal(EngineErrorClass.InvalidRequest, exception.ErrorClass);
    }

    [Fact]
    public async Task A_cache_larger_than_the_memory_is_refused_before_it_is_allocated()
    {
        var bytes = await File.ReadAllBytesAsync(Stories.ModelPath, Token);
        var at = bytes.AsSpan().IndexOf("llama.context_length"u8) + "llama.context_length".Length + 4;
        BitConverter.TryWriteBytes(bytes.AsSpan(at), 50_000_000);
        var exception = await LoadAsync(bytes);
        Assert.Equal(EngineErrorClass.OutOfMemory, exception.ErrorClass);
        Assert.True(exception.Actual > exception.Limit);
        Assert.True(exception.Retryable);
        await AssertAliveAsync();
    }

    public void Dispose()
    {
        folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task RefusedAsync(byte[] bytes)
    {
        var exception = await LoadAsync(bytes);
        Assert.Equal(EngineErrorClass.ModelInvalid, exception.ErrorClass);
        Assert.False(exception.Retryable);
        await AssertAliveAsync();
    }

    private async Task<EngineException> LoadAsync(byte[] bytes)
    {
        var path = Path.Combine(folder.FullName, "model.gguf");
        await File.WriteAllBytesAsync(path, bytes, Token);
        var spec = new LoadSpec(path, new string('0', 64), Threads: 1);
        return await Assert.ThrowsAsync<EngineException>(() => Client.LoadAsync(spec, Token));
    }

    private async Task AssertAliveAsync()
    {
        var options = new GenerationOptions(MaxTokens: 10);
        var completion = await Client.CompleteAsync(Stories.Continue("", options), Token);
        Assert.Equal(Stories.GoldenIds, completion.Ids);
    }
}
