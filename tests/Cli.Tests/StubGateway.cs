using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EgpuFleet.Cli.Tests;

/// <summary>
/// A stub: answers fixed texts on loopback, so that the command line's own output can be tested. It is not a gateway and
/// proves nothing about one; tests/EndToEnd.Tests run the real one.
/// </summary>
internal sealed class StubGateway : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    public StubGateway(Func<string, string, (int Status, string ContentType, string Body)> answer)
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        }
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _serving = ServeAsync(answer);
    }

    public string Url { get; }

    /// <summary>Method, path and idempotency key of each request.</summary>
    public List<(string Method, string Path, string? Key)> Requests { get; } = [];

    public void Dispose()
    {
        _listener.Close();
        _serving.Wait();
    }

    private async Task ServeAsync(Func<string, string, (int Status, string ContentType, string Body)> answer)
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            var path = context.Request.Url!.AbsolutePath;
            Requests.Add((context.Request.HttpMethod, path, context.Request.Headers["Idempotency-Key"]));
            await context.Request.InputStream.CopyToAsync(Stream.Null);
            var (status, contentType, body) = answer(context.Request.HttpMethod, path);
            context.Response.StatusCode = status;
            context.Response.ContentType = contentType;
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
            context.Response.Close();
        }
    }
}
