using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using EgpuFleet.Api;
using EgpuFleet.Formats.Tests.Adapters;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Registering model files: whole ones are kept under their hash, anything else leaves nothing.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class ModelUploadTests(RunningSilo silo)
{
    [Fact]
    public async Task A_model_is_kept_under_its_hash_and_the_same_again_changes_nothing()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var bytes = await File.ReadAllBytesAsync(RunningSilo.SampleModelPath, cancellationToken);

        using var first = await PutAsync("copy-of-tiny", bytes);
        using var second = await PutAsync("copy-of-tiny", bytes);

        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        var model = (await first.Content.ReadFromJsonAsync<ModelInfo>(ApiJson.Options, cancellationToken))!;
        var again = (await second.Content.ReadFromJsonAsync<ModelInfo>(ApiJson.Options, cancellationToken))!;
        Assert.Equal(model, again);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), model.Sha256);
        Assert.Equal(bytes.Length, model.SizeBytes);
        Assert.Equal(
            ("llama", "F16", 1024, true),
            (model.Architecture, model.Quantization, model.ContextLength, model.HasChatTemplate)
        );
        var kept = await File.ReadAllBytesAsync(Path.Combine(silo.ModelsFolder, model.Sha256), cancellationToken);
        Assert.Equal(bytes, kept);
        var listed = await silo.Client.ListModelsAsync(cancellationToken);
        Assert.Contains(listed.Data, found => found == model);
        Assert.Empty(HalfReceived());
    }

    [Theory]
    [InlineData(0, "gguf_truncated")]
    [InlineData(3, "gguf_truncated")]
    [InlineData(1000, "gguf_truncated")]
    [InlineData(5_000_000, "gguf_tensor_extent")]
    public async Task A_truncated_file_is_refused_with_the_readers_code_and_leaves_nothing(int length, string code)
    {
        var bytes = await File.ReadAllBytesAsync(RunningSilo.SampleModelPath, TestContext.Current.CancellationToken);

        using var response = await PutAsync("truncated", bytes[..length]);

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        Assert.Equal(code, Answers.CodeOf(problem));
        await AssertNothingLeftAsync("truncated");
    }

    [Fact]
    public async Task Hostile_files_are_refused_and_leave_nothing()
    {
        var good = await File.ReadAllBytesAsync(RunningSilo.SampleModelPath, TestContext.Current.CancellationToken);
        var hostile = new List<byte[]> { "PK\u0003\u0004 this is a zip file, or so"u8.ToArray() };
        // Version, tensor count and pair count, each at its worst.
        foreach (var offset in (int[])[4, 8, 16])
        {
            var bytes = good[..100_000];
            bytes.AsSpan(offset, offset == 4 ? 4 : 8).Fill(0xff);
            hostile.Add(bytes);
        }

        foreach (var bytes in hostile)
        {
            using var response = await PutAsync("hostile", bytes);
            var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
            Assert.StartsWith("gguf_", Answers.CodeOf(problem), StringComparison.Ordinal);
        }
        await AssertNothingLeftAsync("hostile");
    }

    [Fact]
    public async Task An_adapter_is_registered_with_its_base()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var model = await File.ReadAllBytesAsync(RunningSilo.SampleModelPath, cancellationToken);
        using var whole = await PutAsync("base-of-adapter", model);
        var adapter = AdapterBytes.Gguf(model, spread: 0.1f);

        using var response = await PutAsync("ft:base-of-adapter:default:mine:1", adapter);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var registered = (await response.Content.ReadFromJsonAsync<ModelInfo>(ApiJson.Options, cancellationToken))!;
        Assert.Equal(
            ("llama", "F16", 1024, true, (long)adapter.Length),
            (
                registered.Architecture,
                registered.Quantization,
                registered.ContextLength,
                registered.HasChatTemplate,
                registered.SizeBytes
            )
        );
        Assert.NotNull(registered.Base);
        var listed = await silo.Http.GetStringAsync("/v1/models", cancellationToken);
        Assert.Contains("ft:base-of-adapter:default:mine:1", listed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_adapter_of_a_model_that_is_not_there_or_has_another_shape_is_refused()
    {
        var model = await File.ReadAllBytesAsync(RunningSilo.SampleModelPath, TestContext.Current.CancellationToken);
        using var whole = await PutAsync("base-of-others", model);
        var facts = AdapterBase.From(
            GgufReader.Open(new MemoryStream(model)),
            Convert.ToHexStringLower(SHA256.HashData(model))
        );
        var unknown = AdapterBytes.Gguf(facts with { Sha256 = new string('0', 64) }, spread: 0.1f);
        var narrow = AdapterBytes.Gguf(
            facts with
            {
                Matrices = facts.Matrices.ToDictionary(one => one.Key, one => (one.Value.Inputs, 7L)),
            },
            spread: 0.1f
        );
        foreach (var (bytes, code) in new[] { (unknown, "adapter_base_unknown"), (narrow, "adapter_other_base") })
        {
            using var response = await PutAsync("bad-adapter", bytes);
            var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
            Assert.Equal(code, Answers.CodeOf(problem));
            await AssertNothingLeftAsync("bad-adapter");
        }
    }

    [Theory]
    [InlineData("-x")]
    [InlineData("a b")]
    [InlineData("..")]
    [InlineData("a%2fb")]
    [InlineData("%D0%BC")]
    public async Task A_name_against_the_rule_is_refused(string name)
    {
        using var response = await silo.Http.PutAsync(
            $"{Routes.Models}/{name}",
            new ByteArrayContent([1]),
            TestContext.Current.CancellationToken
        );

        Assert.True(
            response.StatusCode
                is HttpStatusCode.UnprocessableEntity
                    or HttpStatusCode.NotFound
                    or HttpStatusCode.MethodNotAllowed,
            response.StatusCode.ToString()
        );
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task An_upload_that_breaks_off_leaves_nothing()
    {
        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var content = new BrokenContent();
            using var response = await silo.Http.PutAsync(
                Routes.Model("broken"),
                content,
                TestContext.Current.CancellationToken
            );
        });

        // The gateway drops the file when it sees the end of the connection, which is after the client saw its own.
        while (HalfReceived().Length > 0)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        await AssertNothingLeftAsync("broken");
    }

    [Fact]
    public async Task A_model_that_is_not_there_is_not_found()
    {
        using var response = await silo.Http.GetAsync(Routes.Model("nope"), TestContext.Current.CancellationToken);

        var problem = await response.ProblemAsync(HttpStatusCode.NotFound);
        Assert.Equal("model_not_found", Answers.CodeOf(problem));
    }

    private Task<HttpResponseMessage> PutAsync(string name, byte[] bytes) =>
        silo.Http.PutAsync(Routes.Model(name), new ByteArrayContent(bytes), TestContext.Current.CancellationToken);

    private string[] HalfReceived() => Directory.GetFiles(silo.ModelsFolder, "incoming-*");

    private async Task AssertNothingLeftAsync(string name)
    {
        Assert.Empty(HalfReceived());
        var models = await silo.Client.ListModelsAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(models.Data, model => model.Name == name);
    }

    private sealed class BrokenContent : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[1 << 20]);
            await stream.FlushAsync();
            throw new IOException("The cable was pulled.");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 100 << 20;
            return true;
        }
    }
}
