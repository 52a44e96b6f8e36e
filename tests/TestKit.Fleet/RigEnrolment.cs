using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>Makes a node known: with the secret of one control silo, at the gateway of another.</summary>
internal static class RigEnrolment
{
    public static async Task EnrolAsync(
        RigSilo secretOf,
        RigSilo at,
        string node,
        string nodeFolder,
        CancellationToken cancellationToken
    )
    {
        Directory.CreateDirectory(
            nodeFolder,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        );
        var credential = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using (var file = new StreamWriter(Path.Combine(nodeFolder, "node.credential"), options))
            await file.WriteAsync(credential);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(credential)));
        using var http = new HttpClient { BaseAddress = at.Url };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/internal/nodes", UriKind.Relative))
        {
            Content = JsonContent.Create(
                new Dictionary<string, string> { ["node"] = node, ["credential_sha256"] = hash }
            ),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secretOf.EnrolmentSecret);
        using var response = await http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
    }
}
