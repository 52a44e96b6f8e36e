using System.Net;
using System.Security.Cryptography;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Polly.Timeout;

namespace EgpuFleet.NodeAgent.Tests.Models;

/// <summary>Files brought from a gateway that fails in each of the ways that pass.</summary>
public sealed class GatewayDownloadsTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 1_000).Select(i => (byte)i)];

    private readonly TempFolder folder = new();
    private readonly AdvancingTime time = new();

    public static TheoryData<string> Passing => ["timeout", "refused", "broken"];

    [Theory]
    [MemberData(nameof(Passing))]
    public async Task What_passes_is_tried_again(string failure)
    {
        var gateway = new Gateway(failures: Limits.DownloadAttempts - 1, Failure(failure));
        await FetchAsync(gateway);
        Assert.Equal(Content, await File.ReadAllBytesAsync(folder.At("file"), TestContext.Current.CancellationToken));
        Assert.Equal(Limits.DownloadAttempts, gateway.Asked);
    }

    [Theory]
    [MemberData(nameof(Passing))]
    public async Task What_does_not_pass_has_a_code_and_is_worth_another_node(string failure)
    {
        var gateway = new Gateway(failures: int.MaxValue, Failure(failure));
        var thrown = await Assert.ThrowsAsync<GenerationException>(() => FetchAsync(gateway));
        Assert.Equal(("model_unavailable", true), (thrown.Code, thrown.Retryable));
        Assert.Equal(Limits.DownloadAttempts, gateway.Asked);
    }

    public void Dispose() => folder.Dispose();

    private static Exception Failure(string name) =>
        name switch
        {
            "timeout" => new TimeoutRejectedException("No answer."),
            "refused" => new HttpRequestException("Nobody is there."),
            _ => new IOException("The connection broke."),
        };

    private Task FetchAsync(Gateway gateway) =>
        new GatewayDownloads(gateway, time, NullLogger<GatewayDownloads>.Instance).FetchAsync(
            new ModelRef("file-1", Convert.ToHexStringLower(SHA256.HashData(Content)), Content.Length),
            "/file",
            folder.At("file"),
            TestContext.Current.CancellationToken
        );

    /// <summary>Fails so often, then answers.</summary>
    private sealed class Gateway(int failures, Exception failure) : HttpMessageHandler, IHttpClientFactory
    {
        public int Asked { get; private set; }

        public HttpClient CreateClient(string name) =>
            new(this, disposeHandler: false) { BaseAddress = new Uri("http://gateway") };

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        ) =>
            Asked++ < failures
                ? Task.FromException<HttpResponseMessage>(failure)
                : Task.FromResult(
                    new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(Content) }
                );
    }
}
