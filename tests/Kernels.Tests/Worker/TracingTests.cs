using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EgpuFleet.Kernels.Tests.Worker;

public sealed class TracingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The trace id, sixteen bytes, must be in what the worker process sends to a real HTTP receiver.</summary>
    [Fact]
    public async Task A_workers_spans_belong_to_the_callers_trace()
    {
        using var receiver = new HttpListener();
        var endpoint = Start(receiver);
        await using var worker = WorkerProcess.Start(adjust: start =>
        {
            start.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint;
            start.Environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        });
        await using var client = await worker.ConnectAsync(Token);
        using var activity = new Activity("caller") { ActivityTraceFlags = ActivityTraceFlags.Recorded }.Start();
        Assert.True((await client.SelfTestAsync(Token)).Passed);

        var traceId = Convert.FromHexString(activity.TraceId.ToHexString());
        var exported = await ReceiveAsync(receiver);
        while (exported.AsSpan().IndexOf(traceId) < 0)
            exported = await ReceiveAsync(receiver);
        Assert.True(exported.AsSpan().IndexOf("worker self_test"u8) >= 0);
    }

    private static string Start(HttpListener receiver)
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var endpoint = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        free.Stop();
        receiver.Prefixes.Add(endpoint);
        receiver.Start();
        return endpoint;
    }

    private static async Task<byte[]> ReceiveAsync(HttpListener receiver)
    {
        var context = await receiver.GetContextAsync().WaitAsync(Token);
        using var body = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(body, Token);
        context.Response.Close();
        return body.ToArray();
    }
}
