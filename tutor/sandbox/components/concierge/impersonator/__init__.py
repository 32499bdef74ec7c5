"""The impersonation proxy's configuration: from a CredentialIssuer to a server and its objects."""
