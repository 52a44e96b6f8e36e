using System.Text;
using EgpuFleet.Api;

namespace EgpuFleet.Benchmarks.Load;

/// <summary>The requests that are sent, ready made: 64 different jobs of kind noop with 1 KB of text that does not compress.</summary>
internal sealed class JobRequests
{
    /// <summary>Bytes of a payload.</summary>
    public const int PayloadBytes = 1024;

    private const int Different = 64;

    private readonly byte[][] _single;
    private readonly byte[][] _bulk;
    private int _next = -1;

    /// <param name="jobsPerCall">Lines of a bulk request.</param>
    public JobRequests(Uri gateway, int jobsPerCall)
    {
        var lines = Payloads().Select(Line).ToArray();
        _single = [.. lines.Select(line => Post(gateway, Routes.Jobs, "application/json", line))];
        var bulk = new StringBuilder();
        for (var i = 0; i < jobsPerCall; i++)
            bulk.Append(lines[i % Different]).Append('\n');
        _bulk = [Post(gateway, Routes.JobsBulk, "application/x-ndjson", bulk.ToString())];
        Bulk = jobsPerCall > 1;
    }

    public bool Bulk { get; }

    /// <summary>The next request in turn.</summary>
    public ReadOnlyMemory<byte> Next()
    {
        var requests = Bulk ? _bulk : _single;
        return requests[(uint)Interlocked.Increment(ref _next) % (uint)requests.Length];
    }

    /// <summary>The texts; the same at every start, so that runs compare.</summary>
    public static IEnumerable<string> Payloads()
    {
        var random = new Random(20_261_123);
        var bytes = new byte[PayloadBytes / 4 * 3];
        for (var i = 0; i < Different; i++)
        {
            random.NextBytes(bytes);
            yield return Convert.ToBase64String(bytes);
        }
    }

    private static string Line(string payload) => $$"""{"kind":"noop","payload":"{{payload}}"}""";

    private static byte[] Post(Uri gateway, string route, string type, string body) =>
        Encoding.UTF8.GetBytes(
            $"POST {route} HTTP/1.1\r\nHost: 127.0.0.1:{gateway.Port}\r\nContent-Type: {type}\r\n"
                + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"
        );
}
