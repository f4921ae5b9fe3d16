//! Which operation a request asks for, and in which form it is refused.

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use crate::harness::{Keys, TestServer, signed};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

#[tokio::test]
async fn every_answer_carries_a_request_id_and_the_time() {
    let server = TestServer::start().await;
    let listed = server.call(&server.admin(), "AmazonSSM.ListDocuments", &json!({})).await;
    assert_eq!(listed.status, StatusCode::OK);
    let refused = server.send(server.json_request("AmazonSSM.ListDocuments", &json!({}))).await;
    assert_eq!(refused.code(), "MissingAuthenticationTokenException");
    for answer in [listed, refused] {
        let id = answer.headers["x-amzn-requestid"].to_str().unwrap();
        assert!(uuid::Uuid::try_parse(id).is_ok(), "{id}");
        assert!(answer.headers.contains_key("date"));
        assert_eq!(answer.headers["content-type"], "application/x-amz-json-1.1");
    }
}

#[tokio::test]
async fn what_is_unknown_says_so_in_the_form_of_its_service() {
    let server = TestServer::start().await;
    let admin = server.admin();
    for target in ["AmazonSSM.MakeCoffee", "AmazonSSM.", "Nonsense.ListDocuments", "AmazonSSM", ""] {
        let answer = server.call(&admin, target, &json!({})).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "UnknownOperationException")
        );
    }
    // Of the model, and not done here.
    let answer = server.call(&admin, "EC2WindowsMessageDeliveryService.SendReply", &json!({})).await;
    assert_eq!(answer.code(), "UnknownOperationException");
    let form = "Action=MakeCoffee&Version=2011-06-15";
    let request = server.request("POST", "/").header("content-type", FORM).body(Bytes::from(form)).unwrap();
    let answer = server.send(signed(request, &admin, "sts")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("<Code>InvalidAction</Code>"), "{}", answer.text());

    let nothing = server.send(server.request("GET", "/").body(Bytes::new()).unwrap()).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_signature_for_another_service_is_refused() {
    let server = TestServer::start().await;
    let request = server.json_request("AmazonSSM.ListDocuments", &json!({}));
    let answer = server.send(signed(request, &server.admin(), "sts")).await;
    assert_eq!(answer.code(), "InvalidSignatureException");
    assert!(answer.json()["Message"].as_str().unwrap().contains("correct service: 'ssm'"), "{answer:?}");
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let server = TestServer::start().await;
    let request = || {
        let request = server.json_request("AmazonSSM.ListDocuments", &json!({"MaxResults": 1}));
        signed(request, &server.admin(), "ssm")
    };
    assert_eq!(server.send(request()).await.status, StatusCode::OK);
    let answer = server.send_http2(request()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn who_am_i_is_answered_in_xml() {
    let server = TestServer::start().await;
    let form = Bytes::from("Action=GetCallerIdentity&Version=2011-06-15");
    let request = server.request("POST", "/").header("content-type", FORM).body(form).unwrap();
    let answer = server.send(signed(request, &server.admin(), "sts")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(answer.text().contains("<Arn>arn:aws:iam::000000000000:user/admin</Arn>"), "{}", answer.text());
    let request_id = answer.headers["x-amzn-requestid"].to_str().unwrap();
    assert!(answer.text().contains(&format!("<RequestId>{request_id}</RequestId>")));
}

#[tokio::test]
async fn page_tokens_go_on_only_with_the_same_question() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let first = server.call(&admin, "AmazonSSM.ListDocuments", &json!({"MaxResults": 2})).await.json();
    let token = first["NextToken"].as_str().unwrap();
    let second = server
        .call(&admin, "AmazonSSM.ListDocuments", &json!({"MaxResults": 3, "NextToken": token}))
        .await
        .json();
    assert_eq!(second["DocumentIdentifiers"].as_array().unwrap().len(), 3);
    assert_ne!(first["DocumentIdentifiers"][0]["Name"], second["DocumentIdentifiers"][0]["Name"]);

    let filters = json!([{"Key": "Owner", "Values": ["Amazon"]}]);
    for other in [json!({"NextToken": token, "Filters": filters}), json!({"NextToken": format!("{token}A")})]
    {
        assert_eq!(server.call(&admin, "AmazonSSM.ListDocuments", &other).await.code(), "InvalidNextToken");
    }
    let elsewhere = server.call(&admin, "AmazonSSM.DescribeActivations", &json!({"NextToken": token})).await;
    assert_eq!(elsewhere.code(), "InvalidNextToken");
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let server = TestServer::start().await;
    let keys = Keys { secret: "x".repeat(40), ..server.admin() };
    let answer = server.call(&keys, "AmazonSSM.ListDocuments", &json!({})).await;
    assert_eq!(answer.code(), "InvalidSignatureException");
}
