using System.Text.Json;
using System.Text.Json.Serialization;

namespace EgpuFleet.Grains.Interfaces.Membership;

/// <summary>The whole membership table, or one row of it, as read by an agent.</summary>
/// <param name="Version">Version of the table; every insert and update names the next one.</param>
/// <param name="VersionTag">The store's own mark of that version; echoed in a write.</param>
public sealed record MembershipTable(int Version, string VersionTag, IReadOnlyList<MembershipRow> Rows);

/// <summary>
/// POST body of insert, update and alive. Insert and update are conditional on the table's version: the answer is the JSON
/// literal <c>true</c> when written, <c>false</c> when another silo wrote first. Alive changes only the row's sign of life.
/// </summary>
/// <param name="Version">The version the table will have; 0 for alive.</param>
/// <param name="VersionTag">Mark of the version that was read; empty for alive.</param>
public sealed record MembershipWrite(MembershipRow Row, int Version, string VersionTag);

/// <summary>POST body of <see cref="InternalRoutes.Nodes"/>.</summary>
/// <param name="CredentialSha256">Lower-case hex SHA-256 of the ASCII text of the credential.</param>
public sealed record NodeEnrolment(string Node, string CredentialSha256);

/// <summary>How these messages are written: snake_case, times in UTC, unknown fields refused.</summary>
public static class MembershipJson
{
    public static JsonSerializerOptions Options { get; } =
        new(JsonSerializerDefaults.Web)
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
        };
}
