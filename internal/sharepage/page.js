// What is not there for a guest may be there for somebody in the app.
document.querySelector('.bar .button').href = '/#' + location.pathname;
