using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Supervision;

/// <summary>
/// Makes a local node known to the gateway. Its credential is a random 256-bit token in a file that only this user reads;
/// the gateway gets the token's hash. Whoever can read the silo's enrolment secret may enrol.
/// </summary>
internal sealed class Enrolment(HttpClient http, FleetPaths paths)
{
    /// <summary>Between the silo and its nodes, not part of the public API: POST answers 204.</summary>
    private const string Route = "/internal/nodes";

    private const int CredentialBytes = 32;

    private sealed record Node([property: System.Text.Json.Serialization.JsonPropertyName("node")] string Id)
    {
        public required string CredentialSha256 { get; init; }
    }

    /// <exception cref="FleetFailure">The gateway refuses.</exception>
    public async Task EnrolAsync(string node, CancellationToken cancellationToken)
    {
        var credential = ReadOrCreate(node);
        var secret = (await File.ReadAllTextAsync(paths.EnrolmentSecret, cancellationToken)).Trim();
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(credential)));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Route, UriKind.Relative))
        {
            Content = JsonContent.Create(new Node(node) { CredentialSha256 = hash }, options: ApiJson.Options),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        using var response = await http.SendAsync(request, cancellationToken);
        if (response.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.OK))
        {
            throw new FleetFailure(
                $"The gateway did not enrol {node}: it answered {(int)response.StatusCode}.",
                $"Read its log: {paths.Log("silo")}"
            );
        }
    }

    private string ReadOrCreate(string node)
    {
        Directory.CreateDirectory(paths.Agent(node), PrivateFile.FolderMode);
        var file = paths.Credential(node);
        if (!File.Exists(file))
            PrivateFile.Write(file, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(CredentialBytes)));
        return File.ReadAllText(file).Trim();
    }
}
