using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>A span as it came over the wire.</summary>
internal sealed record ReceivedSpan(
    string TraceId,
    string SpanId,
    string ParentId,
    string Name,
    string Service,
    string Scope
);

/// <summary>
/// An OTLP/HTTP receiver on a free loopback port: decodes the protobuf of <c>POST /v1/traces</c> field by field
/// (opentelemetry-proto, trace/v1) and keeps every span.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<ReceivedSpan> _spans = [];
    private readonly WebApplication _app;
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private OtlpReceiver(WebApplication app) => _app = app;

    public string Endpoint =>
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<OtlpReceiver> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new OtlpReceiver(app);
        app.MapPost("/v1/traces", receiver.ReceiveAsync);
        app.MapPost("/v1/metrics", () => Results.Ok());
        app.MapPost("/v1/logs", () => Results.Ok());
        await app.StartAsync(cancellationToken);
        return receiver;
    }

    /// <summary>Waits until the spans of a trace satisfy a condition; the token bounds the wait.</summary>
    public async Task<IReadOnlyList<ReceivedSpan>> WaitForAsync(
        string traceId,
        Func<IReadOnlyList<ReceivedSpan>, bool> condition,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            Task arrived;
            List<ReceivedSpan> spans;
            lock (_gate)
            {
                arrived = _arrived.Task;
                spans = _spans.FindAll(span => span.TraceId == traceId);
            }
            if (condition(spans))
                return spans;
            try
            {
                await arrived.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException cancelled)
            {
                var seen = string.Join(
                    Environment.NewLine,
                    spans.Select(span => $"{span.Service} {span.Scope} {span.Name}")
                );
                throw new TimeoutException(
                    $"The trace {traceId} never became complete. Spans seen:{Environment.NewLine}{seen}",
                    cancelled
                );
            }
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<IResult> ReceiveAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        var spans = OtlpTraces.Decode(body.ToArray());
        TaskCompletionSource arrived;
        lock (_gate)
        {
            _spans.AddRange(spans);
            arrived = _arrived;
            _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        arrived.SetResult();
        return Results.Bytes([], "application/x-protobuf");
    }
}

/// <summary>Reads just the fields the tests need out of an ExportTraceServiceRequest.</summary>
internal static class OtlpTraces
{
    public static List<ReceivedSpan> Decode(byte[] request)
    {
        var spans = new List<ReceivedSpan>();
        foreach (var resourceSpans in Messages(request, field: 1))
        {
            var service =
                Messages(resourceSpans, 1)
                    .SelectMany(resource => Messages(resource, 1))
                    .Select(ServiceName)
                    .FirstOrDefault(name => name is not null)
                ?? "";
            foreach (var scopeSpans in Messages(resourceSpans, 2))
            {
                var scope = Messages(scopeSpans, 1).Select(value => Text(value, 1)).FirstOrDefault() ?? "";
                spans.AddRange(Messages(scopeSpans, 2).Select(span => Span(span, service, scope)));
            }
        }
        return spans;
    }

    private static ReceivedSpan Span(byte[] span, string service, string scope) =>
        new(Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5), service, scope);

    private static string? ServiceName(byte[] attribute) =>
        Text(attribute, 1) == "service.name"
            ? Messages(attribute, 2).Select(value => Text(value, 1)).FirstOrDefault()
            : null;

    private static string Hex(byte[] message, int field) =>
        Messages(message, field).Select(Convert.ToHexStringLower).FirstOrDefault() ?? "";

    private static string Text(byte[] message, int field) =>
        Messages(message, field).Select(System.Text.Encoding.UTF8.GetString).FirstOrDefault() ?? "";

    private static IEnumerable<byte[]> Messages(byte[] message, int field)
    {
        using var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag && tag != 0)
        {
            if (
                WireFormat.GetTagFieldNumber(tag) == field
                && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited
            )
                yield return input.ReadBytes().ToByteArray();
            else
                input.SkipLastField();
        }
    }
}
